/** Gradients of a state's activation in WGSL. */

import type { WebGpuBackend } from "../backend.ts";
import { itemProgram, program, storedItems, storedProgram } from "../program.ts";
import { floats, slicesOf, type StoredBuffer } from "../slices.ts";
import activation from "../wgsl/activation_grad.wgsl" with { type: "text" };
import affine from "../wgsl/affine_grad.wgsl" with { type: "text" };
import type { ActivatedInput } from "./depthwise_grad.ts";
import { runItems } from "./items.ts";
import { addParts } from "./reduce.ts";
import type { Scratch } from "./scratch.ts";
import { partsFor } from "./split.ts";

const ACTIVATION = storedItems(itemProgram("activation, backward", activation));
const AFFINE = storedProgram(program("scale and shift, backward", affine), 1);

/**
 * From the gradient by the activated state to that by the state, in place, and by scale and shift,
 * `[2, C]`, where the activation has them.
 */
export function activationGrad(
  backend: WebGpuBackend,
  scratch: Scratch,
  { input, dx, dAffine }: {
    input: ActivatedInput;
    dx: GPUBuffer;
    dAffine: GPUBuffer | undefined;
  },
): void {
  const { x, affine, activation, shape: [images, height, width, channels] } = input;
  if (activation === 0) return;
  const pixels = images * height * width;
  if (affine && dAffine) {
    affineGrad(backend, scratch, { x, affine, dx, dAffine, pixels, channels });
  }
  const perChannel = affine ?? scratch.floats(1);
  const uniforms = { affine: Number(affine !== undefined) };
  const tensors = [x, floats(dx)];
  runItems(backend, ACTIVATION[x.form], { tensors, perChannel, pixels, channels, uniforms });
}

function affineGrad(
  backend: WebGpuBackend,
  scratch: Scratch,
  { x, affine, dx, dAffine, pixels, channels }: {
    x: StoredBuffer;
    affine: GPUBuffer;
    dx: GPUBuffer;
    dAffine: GPUBuffer;
    pixels: number;
    channels: number;
  },
): void {
  const results = 2 * channels;
  const [state, incoming] = [x, floats(dx)].map((tensor) => ({ ...tensor, values: channels }));
  const tensors = [state, incoming];
  for (const { first, length, bind } of slicesOf(backend, { length: pixels, tensors })) {
    const parts = partsFor(backend, { length, invocations: channels, results });
    const partial = scratch.floats(parts * results);
    backend.run(AFFINE[x.form], {
      buffers: [bind(state), affine, bind(incoming), partial],
      uniforms: { pixels: length, channels, parts },
      invocations: channels * parts,
    });
    addParts(backend, { from: partial, to: dAffine, length: results, parts, add: first > 0 });
    scratch.release(partial);
  }
}
