/** Dense convolutions through cuDNN, for the forward kernel and the gradient's. */

import { util } from "@tensorflow/tfjs-core";
import { windowPadding } from "../../geometry/windows.ts";
import type { BranchSpec } from "../../ops/branch_spec.ts";
import type { CudnnBackend, DenseConvolution } from "../backend.ts";
import source from "../cuda/filter_layout.cu" with { type: "text" };
import values from "../cuda/values.cuh" with { type: "text" };
import { type CudaKernel, cudaModule } from "../module.ts";
import { activate, type ActivatedInput } from "./activation.ts";
import { launchEach } from "./launch_each.ts";
import { accumulate } from "./reduce.ts";
import type { Scratch } from "./scratch.ts";
import { narrow, type StoredValues } from "./stored.ts";

const LAYOUT = cudaModule("filter layout", `${values}\n${source}`);
const TO_CUDNN = LAYOUT.kernel("toCudnn");
const FROM_CUDNN = LAYOUT.kernel("fromCudnn");

/** A convolution's window and the shape of its input. */
interface Sizes {
  window: Pick<BranchSpec, "kernel" | "stride" | "output">;
  /** `[N, H, W, C]`. */
  shape: readonly number[];
}

/** Computes y, `[N, OH, OW, M]`, from an input and a filter `[k, k, C, M]`. */
export function runConvolution(
  backend: CudnnBackend,
  scratch: Scratch,
  { input, filter, y, window }: {
    input: ActivatedInput;
    filter: bigint;
    y: StoredValues;
    window: Sizes["window"];
  },
): void {
  const sizes = { window, shape: input.shape };
  const x = activate(backend, scratch, input),
    turned = cudnnFilter(backend, scratch, filter, sizes);
  // cuDNN computes on floats: dense convolutions are few, and their filters need no second form.
  const items = input.shape[0] * util.sizeFromShape([...window.output]);
  const floats = y.form === "floats" ? y.address : scratch.floats(items);
  backend.convolution({ kind: "forward", x, filter: turned, y: floats, ...geometry(sizes) });
  scratch.release(turned);
  scratch.release(x);
  if (y.form === "floats") return;
  narrow(backend, { from: floats, to: y.address, items });
  scratch.release(floats);
}

/** dx = the gradient by the (activated) input, or added to dx. */
export function convolutionInputGrad(
  backend: CudnnBackend,
  scratch: Scratch,
  { g, filter, dx, add, ...sizes }: Sizes & {
    /** `[N, OH, OW, M]`. */
    g: bigint;
    filter: bigint;
    dx: bigint;
    add: boolean;
  },
): void {
  const items = util.sizeFromShape([...sizes.shape]);
  const turned = cudnnFilter(backend, scratch, filter, sizes);
  const x = add ? scratch.floats(items) : dx;
  backend.convolution({ kind: "input_gradient", x, filter: turned, y: g, ...geometry(sizes) });
  scratch.release(turned);
  if (!add) return;
  accumulate(backend, { from: x, to: dx, items, add });
  scratch.release(x);
}

/** The gradient by the filter, `[k, k, C, M]`, written to `to`. */
export function convolutionFilterGrad(
  backend: CudnnBackend,
  scratch: Scratch,
  { input, g, to, window }: {
    input: ActivatedInput;
    g: bigint;
    to: bigint;
    window: Sizes["window"];
  },
): void {
  const sizes = { window, shape: input.shape };
  const x = activate(backend, scratch, input), filter = scratch.floats(filterSize(sizes));
  backend.convolution({ kind: "filter_gradient", x, filter, y: g, ...geometry(sizes) });
  scratch.release(x);
  changeLayout(backend, FROM_CUDNN, { from: filter, to, ...sizes });
  scratch.release(filter);
}

function geometry(
  { window, shape: [batch, height, width, channels] }: Sizes,
): Omit<DenseConvolution, "kind" | "x" | "filter" | "y"> {
  const { kernel, stride, output } = window, pad = windowPadding({ kernel, dilation: 1 });
  return {
    batch,
    input: [height, width, channels],
    output,
    kernel: [kernel, kernel],
    stride: [stride, stride],
    padding: [pad, pad],
    dilation: [1, 1],
  };
}

function filterSize({ window: { kernel, output }, shape }: Sizes): number {
  return kernel ** 2 * shape[3] * output[2];
}

/** A filter as cuDNN takes it, `[M, k, k, C]`, in scratch memory. */
function cudnnFilter(
  backend: CudnnBackend,
  scratch: Scratch,
  from: bigint,
  sizes: Sizes,
): bigint {
  const to = scratch.floats(filterSize(sizes));
  changeLayout(backend, TO_CUDNN, { from, to, ...sizes });
  return to;
}

function changeLayout(
  backend: CudnnBackend,
  kernel: CudaKernel,
  { from, to, ...sizes }: Sizes & { from: bigint; to: bigint },
): void {
  const { window, shape } = sizes, items = filterSize(sizes);
  launchEach(backend, kernel, {
    threads: items,
    arguments: {
      from,
      to,
      items,
      taps: window.kernel ** 2,
      channels: shape[3],
      outChannels: window.output[2],
    },
  });
}
