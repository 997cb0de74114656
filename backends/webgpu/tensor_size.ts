/**
 * What is said of a tensor that no kernel can take: kernels bind whole tensors, and a device limits the
 * bytes of a binding.
 */

import { type KernelFunc, type TensorInfo, util } from "@tensorflow/tfjs-core";
import { BackendError } from "../contract.ts";

/** A tensor, or a kernel's scratch, of more bytes than a binding may have. */
export class TensorSizeError extends BackendError {
  readonly #sizes: { bytes: number; limit: number };

  constructor(sizes: { bytes: number; limit: number }, op = "an op") {
    super(
      "webgpu",
      `Cannot run ${op} on webgpu: it needs a buffer of ${sizes.bytes} bytes, and the device binds ` +
        `at most ${sizes.limit}; use a smaller batch`,
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
