/** The batch norm behind a branch in CUDA: moments, affine pair, and the gradient before it. */

import { type TensorInfo, util } from "@tensorflow/tfjs-core";
import type { CudnnBackend } from "../backend.ts";
import source from "../cuda/batch_norm.cu" with { type: "text" };
import values from "../cuda/values.cuh" with { type: "text" };
import { launchEach } from "./launch_each.ts";
import { launchPacks, repeated } from "./packs.ts";
import type { Scratch } from "./scratch.ts";
import { lanesFor, splitSum, THREADS } from "./split.ts";
import { type StoredForm, storedModules } from "./stored.ts";

const MODULES = storedModules("batch norm", `${values}\n${repeated(source)}`);
const BATCH_NORM = MODULES.floats.kernel("batchNorm");
const NORM_GRAD = MODULES.floats.kernel("normGrad");

/** Pixels that each thread has at least; channels of a block of batchNorm, as in cuda/batch_norm.cu. */
const LEAST_PIXELS = 4, GROUP = 8;

/** Moments of parts of the pixels, `[parts, 2, C]`: means and sums of squared differences. */
export interface PartialMoments {
  partials: bigint;
  parts: number;
  /** Pixels of a part; the last may have fewer. */
  length: number;
}

/** Moments of a result in parts, in scratch memory. */
export function partialMoments(
  backend: CudnnBackend,
  scratch: Scratch,
  y: TensorInfo,
): PartialMoments {
  const { address, form } = backend.results.stored(y);
  const channels = y.shape[3], pixels = util.sizeFromShape(y.shape) / channels;
  const { lanes, groups } = lanesFor(channels);
  const least = LEAST_PIXELS * THREADS / lanes;
  const { parts, share: length } = splitSum(pixels, { blocks: groups, least });
  const partials = scratch.floats(parts * 2 * channels);
  backend.launch(MODULES[form].kernel("moments"), {
    blocks: parts * groups,
    threads: THREADS,
    arguments: { y: address, partials, pixels, channels, length, lanes },
  });
  return { partials, parts, length };
}

/** A batch norm that is to be computed: y, `[pixels, C]`, and its parameters, `[C]` or 0n. */
export interface PendingNorm {
  of: PartialMoments;
  pixels: number;
  channels: number;
  gamma: bigint;
  beta: bigint;
  epsilon: number;
  /** Results, `[2, C]` each. */
  affine: bigint;
  moments: bigint;
}

/** Computes batch norms, eight a launch. */
export function batchNorms(backend: CudnnBackend, norms: readonly PendingNorm[]): void {
  launchPacks(backend, BATCH_NORM, {
    things: norms.map(({ of, ...norm }) => ({ ...of, ...norm })),
    blocks: Math.ceil(widest(norms) / GROUP),
    threads: THREADS,
  });
}

function widest(norms: readonly { channels: number }[]): number {
  return Math.max(0, ...norms.map(({ channels }) => channels));
}

/** The gradient before a batch norm, `dy + b y + c` by channel, as kernels form it while they read. */
export interface IncomingGradient {
  /** `[N, OH, OW, C]`. */
  dy: bigint;
  y: bigint;
  /** Of y. */
  form: StoredForm;
  /** `[2, C]`: b and c; 0n where dy is all. */
  coefficients: bigint;
}

/** The gradient of a batch norm of which the coefficients are to be computed. */
export type PendingNormGrad = {
  affine: bigint;
  moments: bigint;
  dAffine: bigint;
  /** 0n without. */
  gamma: bigint;
  /** Results; the last two 0n where they are not wanted. */
  coefficients: bigint;
  dGamma: bigint;
  dBeta: bigint;
  channels: number;
  /** Values of a channel. */
  count: number;
  epsilon: number;
};

/** Computes the coefficients of gradients before batch norms, and the gradients of gammas and betas. */
export function normGrads(backend: CudnnBackend, grads: readonly PendingNormGrad[]): void {
  launchPacks(backend, NORM_GRAD, {
    things: grads,
    blocks: Math.ceil(widest(grads) / THREADS),
    threads: THREADS,
  });
}

/** The gradient before a batch norm in memory: dy itself, or scratch. */
export function storedGradient(
  backend: CudnnBackend,
  scratch: Scratch,
  { incoming, items, channels }: { incoming: IncomingGradient; items: number; channels: number },
): bigint {
  if (!incoming.coefficients) return incoming.dy;
  const g = scratch.floats(items), { form, ...read } = incoming;
  launchEach(backend, MODULES[form].kernel("incoming"), {
    threads: items,
    arguments: { ...read, g, items, channels },
  });
  return g;
}
