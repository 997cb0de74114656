/** Gradients of a pointwise convolution in CUDA, by its input and by its filter. */

import { util } from "@tensorflow/tfjs-core";
import type { CudnnBackend } from "../backend.ts";
import type { ActivatedInput } from "./activation.ts";
import type { IncomingGradient } from "./batch_norm.ts";
import {
  cheapestColumns,
  pointwiseModule,
  type PointwiseWindow,
  tilesFor,
  windowArguments,
} from "./pointwise.ts";
import { accumulate, type PartialSums } from "./reduce.ts";
import { splitSum, THREADS } from "./split.ts";

/** Pixels of a part of a filter's gradient at least. */
const LEAST_PIXELS = 128;

/** dx = the gradient by the (activated) input, or added to dx. */
export function pointwiseInputGrad(
  backend: CudnnBackend,
  { incoming, filter, dx, window, shape, add }: {
    incoming: IncomingGradient;
    filter: bigint;
    dx: bigint;
    window: PointwiseWindow;
    /** Of dx, `[N, H, W, C]`. */
    shape: readonly number[];
    add: boolean;
  },
): void {
  const pixels = shape[0] * window.output[0] * window.output[1];
  const { form, ...read } = incoming;
  const sparse = window.stride > 1 && !add;
  // Pixels between those that are read have no gradient.
  if (sparse) {
    accumulate(backend, { from: 0n, to: dx, items: util.sizeFromShape([...shape]), add: false });
  }
  const { columns, down, across } = tilesFor(pixels, shape[3]);
  backend.launch(pointwiseModule(columns, form).kernel("pointwiseInputGrad"), {
    blocks: down * across,
    threads: THREADS,
    arguments: {
      ...read,
      filter,
      dx,
      pixels,
      ...windowArguments(window, shape),
      add: Number(add || sparse),
    },
  });
}

/** The gradient by the filter, `[1, 1, C, M]`, which goes to `to`. */
export function pointwiseFilterGrad(
  backend: CudnnBackend,
  sums: PartialSums,
  { input: { x, affine, relu, shape }, incoming, to, window }: {
    input: ActivatedInput;
    incoming: IncomingGradient;
    to: bigint;
    window: PointwiseWindow;
  },
): void {
  const channels = shape[3], { outChannels } = window, { form, ...read } = incoming;
  const pixels = shape[0] * window.output[0] * window.output[1];
  const tiles = (side: number) => Math.ceil(channels / side) * Math.ceil(outChannels / side);
  const columns = cheapestColumns((side, price) => tiles(side) * price ** 2);
  const blocks = tiles(columns);
  const { parts, share } = splitSum(pixels, { blocks, least: LEAST_PIXELS });
  const partial = sums.take({ to, length: channels * outChannels, parts });
  backend.launch(pointwiseModule(columns, form).kernel("pointwiseFilterGrad"), {
    blocks: blocks * parts,
    threads: THREADS,
    arguments: {
      x,
      affine,
      ...read,
      partial,
      pixels,
      share,
      ...windowArguments(window, shape),
      relu: Number(relu),
    },
  });
}
