/**
 * What is said of a tensor that no kernel can take: a device limits the bytes of a binding, our kernels
 * bind a tensor in slices of whole images (slices.ts), and tfjs-backend-webgpu's the whole tensor.
 */

import { type KernelFunc, type TensorInfo, util } from "@tensorflow/tfjs-core";
import { BackendError } from "../contract.ts";

/** A tensor, or the least slice of one, of more bytes than a binding may have. */
export class TensorSizeError extends BackendError {
  readonly #sizes: { bytes: number; limit: number };

  constructor(sizes: { bytes: number; limit: number }, op = "an op") {
    super(
      "webgpu",
      `Cannot run ${op} on webgpu: it binds ${sizes.bytes} bytes at once, and the device at most ` +
        `${sizes.limit}; use smaller images or a smaller batch`,
    );
    this.#sizes = sizes;
  }

  /** The same error, with the op and the shape of its largest input. */
  of(op: string, inputs: (TensorInfo | undefined)[]): TensorSizeError {
    const shapes = inputs.flatMap((input) => input ? [input.shape] : [])
      .sort((a, b) => util.sizeFromShape(b) - util.sizeFromShape(a));
    return new TensorSizeError(this.#sizes, shapes.length > 0 ? `${op} of [${shapes[0]}]` : op);
  }
}

/** A kernel whose {@linkcode TensorSizeError} names the op and the shape of its largest input. */
export function naming(kernelName: string, kernel: KernelFunc): KernelFunc {
  return (call) => {
    try {
      return kernel(call);
    } catch (error) {
      throw error instanceof TensorSizeError
        ? error.of(kernelName, Object.values(call.inputs) as TensorInfo[])
        : error;
    }
  };
}
