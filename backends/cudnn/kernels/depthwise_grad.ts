/** Gradients of a depthwise convolution in CUDA, by its input and by its filter. */

import { util } from "@tensorflow/tfjs-core";
import type { CudnnBackend } from "../backend.ts";
import type { ActivatedInput } from "./activation.ts";
import { depthwiseModule, type DepthwiseWindow, runDepthwise, stripsOf } from "./depthwise.ts";
import { launchEach } from "./launch_each.ts";
import type { PartialSums } from "./reduce.ts";
import { lanesFor, splitSum, THREADS } from "./split.ts";

/** Strips that each thread of a filter's gradient has at least. */
const LEAST_STRIPS = 2;

/** dx = the gradient by the (activated) input, or added to dx. */
export function depthwiseInputGrad(
  backend: CudnnBackend,
  { g, filter, dx, window, shape, add }: {
    /** `[N, OH, OW, C]`. */
    g: bigint;
    filter: bigint;
    dx: bigint;
    window: DepthwiseWindow;
    /** Of dx, `[N, H, W, C]`. */
    shape: readonly number[];
    add: boolean;
  },
): void {
  if (window.stride === 1) {
    // The result has the size of x at stride 1.
    const input = { x: g, affine: 0n, relu: false, shape };
    runDepthwise(backend, { input, filter, y: dx, window, turned: true, add });
    return;
  }
  const [, height, width, channels] = shape, [outHeight, outWidth] = window.output;
  const items = util.sizeFromShape([...shape]);
  launchEach(backend, depthwiseModule(window).kernel("depthwiseInputGrad"), {
    threads: items,
    arguments: {
      g,
      filter,
      dx,
      items,
      height,
      width,
      channels,
      outHeight,
      outWidth,
      add: Number(add),
    },
  });
}

/** The gradient by the filter, `[k, k, C, 1]`, which goes to `to`. */
export function depthwiseFilterGrad(
  backend: CudnnBackend,
  sums: PartialSums,
  { input: { x, form, affine, relu, shape }, g, to, window }: {
    input: ActivatedInput;
    g: bigint;
    to: bigint;
    window: DepthwiseWindow;
  },
): void {
  const [images, height, width, channels] = shape, [outHeight, outWidth] = window.output;
  const { lanes, groups } = lanesFor(channels), strips = stripsOf(images, window);
  const least = LEAST_STRIPS * THREADS / lanes;
  const { parts, share } = splitSum(strips, { blocks: groups, least });
  const partial = sums.take({ to, length: window.kernel ** 2 * channels, parts });
  backend.launch(depthwiseModule(window, form).kernel("depthwiseFilterGrad"), {
    blocks: parts * groups,
    threads: THREADS,
    arguments: {
      x,
      affine,
      g,
      partial,
      strips,
      share,
      height,
      width,
      channels,
      outHeight,
      outWidth,
      relu: Number(relu),
      lanes,
    },
  });
}
