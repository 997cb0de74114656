/** Gradients of a dense convolution in WGSL, by its input and by its filter. */

import type { WebGpuBackend } from "../backend.ts";
import { program } from "../program.ts";
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
      `let p${t} = (out_row + max(j${t}, 0)) * u.row_channels + u.first_channel;`,
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
      STORE: (q) => `store(to + ${q} * u.out_channels, c + ${q}, m, a${q}, b${q});`,
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
  const [images, height, width, channels] = shape;
  backend.run(INPUT, {
    buffers: [g, filter, dx],
    uniforms: {
      images,
      height,
      width,
      channels,
      ...windowUniforms(window),
      add: Number(add),
    },
    invocations: images * height * Math.ceil(width / TILE) * Math.ceil(channels / 4),
  });
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
  const [images, height, width, channels] = input.shape;
  const pixels = images * window.output[0] * window.output[1], taps = window.kernel ** 2;
  const length = taps * channels * window.outChannels;
  const blocks = taps * Math.ceil(channels / TILE) * Math.ceil(window.outChannels / TILE);
  const parts = partsFor(pixels, blocks, LEAST_PIXELS), partial = scratch.floats(parts * length);
  const counts = [channels, window.outChannels, window.rowChannels, window.firstChannel];
  const divides = counts.every((count) => count % 4 === 0);
  backend.run(divides ? FILTER_OF_QUADS : FILTER_OF_SINGLES, {
    buffers: [input.x, input.affine ?? input.x, g, partial],
    uniforms: {
      height,
      width,
      channels,
      ...windowUniforms(window),
      pixels,
      activation: input.activation,
      parts,
    },
    invocations: blocks * parts,
  });
  addParts(backend, { from: partial, to, length, parts });
  scratch.release(partial);
}

function windowUniforms(window: ConvolutionWindow): Record<string, number> {
  const { kernel, stride, pad, output, outChannels, rowChannels, firstChannel } = window;
  return {
    out_height: output[0],
    out_width: output[1],
    out_channels: outChannels,
    row_channels: rowChannels,
    first_channel: firstChannel,
    kernel,
    stride,
    pad,
  };
}
