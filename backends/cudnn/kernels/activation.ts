/** The activation of a state in CUDA, for cuDNN's convolutions, and its gradient. */

import { util } from "@tensorflow/tfjs-core";
import type { CudnnBackend } from "../backend.ts";
import source from "../cuda/activation.cu" with { type: "text" };
import values from "../cuda/values.cuh" with { type: "text" };
import { launchEach } from "./launch_each.ts";
import type { PartialSums } from "./reduce.ts";
import type { Scratch } from "./scratch.ts";
import { lanesFor, splitSum, THREADS } from "./split.ts";
import { type StoredForm, storedModules } from "./stored.ts";

const MODULES = storedModules("activation", `${values}\n${source}`);

/** Pixels that each thread has at least. */
const LEAST_PIXELS = 4;

/** The input of a convolution: x itself, max(x, 0), or max(scale x + shift, 0) by channel. */
export interface ActivatedInput {
  x: bigint;
  /** Of x; default floats. */
  form?: StoredForm;
  /** `[2, C]`: scale and shift; 0n without, and only with `relu`. */
  affine: bigint;
  relu: boolean;
  /** `[N, H, W, C]`. */
  shape: readonly number[];
}

/** The activated values, in scratch memory; x itself where it is not activated. */
export function activate(
  backend: CudnnBackend,
  scratch: Scratch,
  { x, form = "floats", affine, relu, shape }: ActivatedInput,
): bigint {
  if (!relu) return x;
  const items = util.sizeFromShape([...shape]), y = scratch.floats(items);
  launchEach(backend, MODULES[form].kernel("activate"), {
    threads: items,
    arguments: { x, affine, y, items, channels: shape[3] },
  });
  return y;
}

/**
 * From the gradient by the activated state to that by the state, in place.
 *
 * @param dAffine Where the gradients of scale and shift go, `[2, C]`, with an affine activation.
 */
export function activationGrad(
  backend: CudnnBackend,
  sums: PartialSums,
  { input: { x, form = "floats", affine, relu, shape }, dx, dAffine }: {
    input: ActivatedInput;
    dx: bigint;
    dAffine: bigint;
  },
): void {
  if (!relu) return;
  const channels = shape[3], pixels = util.sizeFromShape(shape.slice(0, 3));
  const { lanes, groups } = lanesFor(channels);
  const least = LEAST_PIXELS * THREADS / lanes;
  const { parts, share } = splitSum(pixels, { blocks: groups, least });
  const partial = affine ? sums.take({ to: dAffine, length: 2 * channels, parts }) : 0n;
  backend.launch(MODULES[form].kernel("activationGrad"), {
    blocks: parts * groups,
    threads: THREADS,
    arguments: { x, affine, dx, partial, pixels, share, channels, lanes },
  });
}
