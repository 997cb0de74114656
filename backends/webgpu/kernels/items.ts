/** Programs that go through tensors of one shape element by element. */

import type { WebGpuBackend } from "../backend.ts";
import { type ItemProgram, itemProgram } from "../program.ts";
import { floats, slicesOf, type StoredBuffer } from "../slices.ts";
import addition from "../wgsl/add.wgsl" with { type: "text" };

const ADD = itemProgram("addition", addition);

/** A call of an {@linkcode ItemProgram} over tensors `[pixels, channels]`. */
export interface ItemCall {
  /** Bound in this order, then the values per channel. */
  tensors: readonly StoredBuffer[];
  perChannel?: GPUBuffer;
  pixels: number;
  channels: number;
  uniforms?: Readonly<Record<string, number>>;
}

/** Runs a program over all elements, four channels at a time where they divide by four. */
export function runItems(
  backend: WebGpuBackend,
  { singles, quads }: ItemProgram,
  call: ItemCall,
): void {
  const { pixels, channels, perChannel, uniforms = {} } = call;
  const item = channels % 4 === 0 ? 4 : 1, whole = perChannel ? [perChannel] : [];
  const tensors = call.tensors.map((tensor) => ({ ...tensor, values: channels }));
  for (const { length, bind } of slicesOf(backend, { length: pixels, tensors })) {
    const elements = length * channels / item;
    backend.run(item === 4 ? quads : singles, {
      buffers: [...tensors.map(bind), ...whole],
      uniforms: { elements, channels: channels / item, ...uniforms },
      invocations: elements,
    });
  }
}

/** Computes `sum = a` or, with `add`, `sum += a`. */
export function runAddition(
  backend: WebGpuBackend,
  { a, sum, elements, add }: { a: GPUBuffer; sum: GPUBuffer; elements: number; add: boolean },
): void {
  const channels = elements % 4 === 0 ? 4 : 1, pixels = elements / channels;
  const tensors = [a, sum].map(floats), uniforms = { add: Number(add) };
  runItems(backend, ADD, { tensors, pixels, channels, uniforms });
}
