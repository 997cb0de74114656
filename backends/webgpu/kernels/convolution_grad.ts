/** Gradients of a dense convolution in WGSL, by its input and by its filter. */

import type { WebGpuBackend } from "../backend.ts";
import type { Binding } from "../dispatcher.ts";
import { program } from "../program.ts";
import { slicesOf } from "../slices.ts";
import filterSource from "../wgsl/convolution_filter_grad.wgsl" with { type: "text" };
import inputSource from "../wgsl/convolution_input_grad.wgsl" with { type: "text" };
import quads from "../wgsl/quads_grad.wgsl" with { type: "text" };
import singles from "../wgsl/singles_grad.wgsl" with { type: "text" };
import type { ActivatedInput } from "./depthwise_grad.ts";
import { addParts } from "./reduce.ts";
import type { Scratch } from "./scratch.ts";
import { partsFor } from "./split.ts";

const range = (n: number): number[] => Array.from({ length: n }, (_, index) => index);

/** Pixels, or rows and columns of the filter, that one invocation makes; as in the WGSL. */
const TILE = 8;

/** Output pixels of a part of a filter's gradient at least. */
const LEAST_PIXELS = 32;

/** Replaces marks by lines for every place of a tile. */
function unrolled(source: string, marks: Record<string, (place: number) => string>): string {
  return Object.entries(marks).reduce(
    (text, [mark, line]) => text.replace(`// ${mark}`, range(TILE).map(line).join("\n      ")),
    source,
  );
}

const INPUT = program(
  "convolution, gradient by input",
  unrolled(inputSource, {
    BEGIN: (t) => `var a${t} = vec4f();`,
    TAPS: (t) =>
      `let j${t} = column(j + ${t}); let k${t} = select(0.0, 1.0, j${t} >= 0); ` +
      `let p${t} = (outRow + max(j${t}, 0)) * u.rowChannels + u.firstChannel;`,
    SUMS: (t) => `a${t} = fma(vec4f(k${t} * g[p${t} + m]), f, a${t});`,
    STORE: (t) => `store(pixel, first + ${t}, c, a${t});`,
  }),
);

const filterGradient = (channels: string, reading: string) =>
  program(
    `convolution of ${channels}, gradient by filter`,
    unrolled(filterSource, {
      BEGIN: (q) => `var a${q} = vec4f(); var b${q} = vec4f();`,
      SUMS: (q) => {
        const value = `vec4f(${q < 4 ? "near" : "far"}[${q % 4}])`;
        return `a${q} = fma(${value}, low, a${q}); b${q} = fma(${value}, high, b${q});`;
      },
      STORE: (q) => `store(to + ${q} * u.outChannels, c + ${q}, m, a${q}, b${q});`,
    }),
    reading,
  );
const FILTER_OF_QUADS = filterGradient("quads", quads);
const FILTER_OF_SINGLES = filterGradient("singles", singles);

/** A filter and the part of the output's channels that it makes. */
export interface ConvolutionWindow {
  kernel: number;
  stride: number;
  /** Output pixel i reads input rows from `i stride - pad`. */
  pad: number;
  /** `[height, width]` of the output. */
  output: readonly number[];
  /** Channels of this filter, of an output pixel, and before this filter's in an output pixel. */
  outChannels: number;
  rowChannels: number;
  firstChannel: number;
}

/** dx = the gradient by the (activated) input, or added to dx. */
export function convolutionInputGrad(
  backend: WebGpuBackend,
  { g, filter, dx, window, shape, add }: {
    g: GPUBuffer;
    filter: GPUBuffer;
    dx: GPUBuffer;
    window: ConvolutionWindow;
    /** Of dx. */
    shape: readonly number[];
    add: boolean;
  },
): void {
  const channels = shape[3];
  for (const slice of windowSlices(backend, { window, shape, input: dx, output: g })) {
    const { images, sizes, input, output } = slice;
    const tiles = images * sizes.height * Math.ceil(sizes.width / TILE);
    backend.run(INPUT, {
      buffers: [output, filter, input],
      uniforms: { images, channels, ...sizes, ...windowUniforms(window), add: Number(add) },
      invocations: tiles * Math.ceil(channels / 4),
    });
  }
}

/** The gradient by the filter, `[k, k, C, M]`, written to `to`. */
export function convolutionFilterGrad(
  backend: WebGpuBackend,
  scratch: Scratch,
  { input, g, to, window }: {
    input: ActivatedInput;
    g: GPUBuffer;
    to: GPUBuffer;
    window: ConvolutionWindow;
  },
): void {
  const { x, affine, activation, shape } = input, channels = shape[3];
  const taps = window.kernel ** 2, results = taps * channels * window.outChannels;
  const blocks = taps * Math.ceil(channels / TILE) * Math.ceil(window.outChannels / TILE);
  const counts = [channels, window.outChannels, window.rowChannels, window.firstChannel];
  const divides = counts.every((count) => count % 4 === 0);
  for (const slice of windowSlices(backend, { window, shape, input: x.buffer, output: g })) {
    const { first, images, sizes } = slice;
    const pixels = images * sizes.outHeight * sizes.outWidth;
    const parts = partsFor(backend, {
      length: pixels,
      invocations: blocks,
      results,
      least: LEAST_PIXELS,
    });
    const partial = scratch.floats(parts * results);
    backend.run(divides ? FILTER_OF_QUADS : FILTER_OF_SINGLES, {
      buffers: [slice.input, affine ?? to, slice.output, partial],
      uniforms: {
        channels,
        ...sizes,
        ...windowUniforms(window),
        pixels,
        activation,
        parts,
      },
      invocations: blocks * parts,
    });
    addParts(backend, { from: partial, to, length: results, parts, add: first > 0 });
    scratch.release(partial);
  }
}

/** A slice of the images: its input and output, and the sizes of an image of either. */
interface WindowSlice {
  first: number;
  images: number;
  input: Binding;
  output: Binding;
  sizes: { height: number; width: number; outHeight: number; outWidth: number };
}

/** A 1x1 convolution of stride 1 knows no rows: all pixels of a slice are one row of one image. */
function windowSlices(
  backend: WebGpuBackend,
  { window, shape, input, output }: {
    window: ConvolutionWindow;
    /** Of the input. */
    shape: readonly number[];
    input: GPUBuffer;
    output: GPUBuffer;
  },
): WindowSlice[] {
  const [images, height, width, channels] = shape, [outHeight, outWidth] = window.output;
  const flat = window.kernel === 1 && window.stride === 1 && window.pad === 0;
  const x = { buffer: input, values: flat ? channels : height * width * channels };
  const rowChannels = window.rowChannels;
  const y = { buffer: output, values: flat ? rowChannels : outHeight * outWidth * rowChannels };
  const total = flat ? images * height * width : images;
  return slicesOf(backend, { length: total, tensors: [x, y] }).map(({ first, length, bind }) => ({
    first,
    images: flat ? 1 : length,
    input: bind(x),
    output: bind(y),
    sizes: flat
      ? { height: 1, width: length, outHeight: 1, outWidth: length }
      : { height, width, outHeight, outWidth },
  }));
}

function windowUniforms(window: ConvolutionWindow): Record<string, number> {
  const { kernel, stride, pad, outChannels, rowChannels, firstChannel } = window;
  return {
    outChannels,
    rowChannels,
    firstChannel,
    kernel,
    stride,
    pad,
  };
}
