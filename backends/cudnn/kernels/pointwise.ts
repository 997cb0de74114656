/** Pointwise (1x1) convolutions in CUDA, for the forward kernel and the gradient's. */

import type { CudnnBackend } from "../backend.ts";
import source from "../cuda/pointwise.cu" with { type: "text" };
import values from "../cuda/values.cuh" with { type: "text" };
import type { CudaModule } from "../module.ts";
import type { ActivatedInput } from "./activation.ts";
import type { PartialMoments } from "./batch_norm.ts";
import type { Scratch } from "./scratch.ts";
import { specialise } from "./specialise.ts";
import { THREADS } from "./split.ts";
import { type StoredForm, storedModules, type StoredValues } from "./stored.ts";

/** Columns of a tile, widest first; a thread has 4 x 4 results, `SIDE` of cuda/pointwise.cu. */
const WIDTHS = [64, 32, 16], SIDE = 4;

/** What reading the rows of a tile costs, in columns. */
const READING = 16;

/** What a pointwise convolution reads and writes. */
export interface PointwiseWindow {
  stride: number;
  /** Output pixel (i, j) reads input pixel (i stride + offset, j stride + offset). */
  offset: number;
  /** `[height, width]` of the output. */
  output: readonly number[];
  /** Channels of this filter, of an output pixel, and before this filter's in an output pixel. */
  outChannels: number;
  rowChannels: number;
  firstChannel: number;
}

const MODULES = new Map(WIDTHS.map((COLUMNS) => [
  COLUMNS,
  storedModules(
    `pointwise convolution, tiles of ${COLUMNS}`,
    `${values}\n${specialise(source, { COLUMNS })}`,
  ),
]));

/** The kernels that work in tiles of a width, for a y kept in a form. */
export function pointwiseModule(columns: number, form: StoredForm): CudaModule {
  return MODULES.get(columns)![form];
}

/** The width of tiles for which `cost` of a width and what it costs by column is least. */
export function cheapestColumns(cost: (columns: number, each: number) => number): number {
  return WIDTHS.reduce((best, columns) =>
    cost(columns, columns + READING) < cost(best, best + READING) ? columns : best
  );
}

/** Tiles of a product of so many rows and columns. */
export function tilesFor(rows: number, columns: number): {
  /** Of a tile. */
  columns: number;
  rows: number;
  down: number;
  across: number;
} {
  const width = cheapestColumns((each, price) => Math.ceil(columns / each) * price);
  const height = THREADS / (width / SIDE) * SIDE;
  return {
    columns: width,
    rows: height,
    down: Math.ceil(rows / height),
    across: Math.ceil(columns / width),
  };
}

/** The arguments that say where a convolution reads and writes. */
export function windowArguments(
  { stride, offset, output: [outHeight, outWidth], ...channels }: PointwiseWindow,
  [, height, width, inChannels]: readonly number[],
): Record<string, number> {
  return { channels: inChannels, height, width, outHeight, outWidth, stride, offset, ...channels };
}

/** Scratch memory for the moments of a convolution's result, as its tiles leave them. */
export function pointwiseMoments(
  scratch: Scratch,
  images: number,
  { output: [height, width], outChannels, rowChannels }: PointwiseWindow,
): PartialMoments {
  const { rows: length, down: parts } = tilesFor(images * height * width, outChannels);
  return { partials: scratch.floats(parts * 2 * rowChannels), parts, length };
}

/** Computes y, `[N, OH, OW, row channels]`, from an input and a filter `[1, 1, C, M]`. */
export function runPointwise(
  backend: CudnnBackend,
  { input: { x, affine, relu, shape }, filter, y, window, partials }: {
    input: ActivatedInput;
    filter: bigint;
    y: StoredValues;
    window: PointwiseWindow;
    /** Where the moments go; 0n where they are not wanted. */
    partials: bigint;
  },
): void {
  const pixels = shape[0] * window.output[0] * window.output[1];
  const { columns, down, across } = tilesFor(pixels, window.outChannels);
  backend.launch(pointwiseModule(columns, y.form).kernel("pointwise"), {
    blocks: down * across,
    threads: THREADS,
    arguments: {
      x,
      affine,
      filter,
      y: y.address,
      partials,
      pixels,
      ...windowArguments(window, shape),
      relu: Number(relu),
    },
  });
}
