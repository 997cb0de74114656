/**
 * The normalised sum in CUDA C, backward. The gradients of all x, and partial sums for those of affine
 * pairs and weights, come from one launch; two small ones add the sums up in a fixed order. A bare term
 * takes no part: the gradient of its x is the incoming one itself.
 */

import { type TensorInfo, util } from "@tensorflow/tfjs-core";
import type { NormalisedSumAttrs } from "../../ops/normalised_sum.ts";
import type { CudnnBackend } from "../backend.ts";
import text from "../cuda/normalised_sum_grad.cu" with { type: "text" };
import {
  COMMON,
  formOf,
  isSpecial,
  type ListedTerm,
  needsSums,
  planSum,
  uploadTerms,
} from "./normalised_sum_plan.ts";
import { Scratch } from "./scratch.ts";
import { type StoredForm, storedModules, type StoredValues } from "./stored.ts";

const MODULES = storedModules("normalised sum, gradient", `${COMMON}\n${text}`);
const AFFINE = MODULES.floats.kernel("normalisedSumGradAffine");
const WEIGHTS = MODULES.floats.kernel("normalisedSumGradWeights");

/** Terms of a block; `TERMS` of normalised_sum_grad.cu. */
const TERMS = 4;
/** Quads that a thread takes, at least, and the most parts of a sum. */
const PART = 4, MOST_PARTS = 1024;
/** Threads of a block that adds up parts, and the channels it takes. */
const THREADS = 256, GROUP = 32;

/** Where a term's x would be. */
const UNREAD: StoredValues = { address: 0n, form: "floats" };

/** Runs the backward kernel; inputs are the forward's, then the gradient of its output. */
export function normalisedSumGradKernel(
  backend: CudnnBackend,
  { inputs, attrs }: { inputs: TensorInfo[]; attrs: NormalisedSumAttrs },
): TensorInfo[] {
  using scratch = new Scratch(backend);
  const dy = inputs[inputs.length - 1], results = new Map<number, TensorInfo>();
  const allocate = (index: number, shape: number[]): bigint => {
    const info = backend.allocate(shape);
    results.set(index, info);
    return backend.address(info);
  };
  const listed: ListedTerm[] = [];
  for (const spec of attrs.terms) {
    if (!needsSums(spec) && !isSpecial(spec)) results.set(spec.x, backend.share(dy));
    else {
      const dx = allocate(spec.x, dy.shape);
      const dAffine = spec.affine < 0 ? 0n : allocate(spec.affine, [2, dy.shape[3]]);
      // Only sums read x.
      const { address: x, form } = needsSums(spec)
        ? backend.results.stored(inputs[spec.x])
        : UNREAD;
      listed.push({ spec, x, form, dx, dAffine });
    }
  }
  const weights = attrs.weights < 0 ? undefined : inputs[attrs.weights];
  const call: GradCall = {
    dy,
    count: listed.length,
    form: formOf(listed),
    terms: uploadTerms(backend, scratch, { inputs, listed }),
    weights: weights ? backend.address(weights) : 0n,
  };
  const shares = launchSums(backend, scratch, call);
  if (weights) {
    const dWeights = allocate(attrs.weights, weights.shape);
    launchWeights(backend, { call, shares, dWeights, length: util.sizeFromShape(weights.shape) });
  }
  return [...results.keys()].sort((a, b) => a - b).map((index) => results.get(index)!);
}

interface GradCall {
  dy: TensorInfo;
  /** Terms that are not bare: their number, and their address, 0 without any. */
  count: number;
  terms: bigint;
  form: StoredForm;
  /** Address of the weights, 0 without any. */
  weights: bigint;
}

/** Partial sums, `[parts, count, 2, phases, C]`: X, then S; phases are to be added up too. */
interface Sums {
  partials: bigint;
  parts: number;
  phases: number;
}

function launchTerms(
  backend: CudnnBackend,
  scratch: Scratch,
  { dy, count, terms, form, weights }: GradCall,
): Sums {
  const { extent, quads, period, threads, slices } = planSum(dy.shape);
  // In a span of several slices no block has a channel twice.
  const depth = slices === 1 ? extent.span / period : 1;
  const spans = Math.min(MOST_PARTS, Math.ceil(quads / (PART * extent.span)));
  const parts = spans * extent.span / (period * depth), phases = 4 * period / extent.channels;
  const partials = scratch.floats(parts * count * 2 * 4 * period);
  backend.launch(MODULES[form].kernel("normalisedSumGrad"), {
    blocks: [Math.ceil(count / TERMS), spans, slices],
    threads,
    arguments: {
      ...{ terms, weights, dy: backend.address(dy), partials, count },
      ...{ ...extent, period, depth },
    },
  });
  return { partials, parts, phases };
}

/** Shares of the weights' gradient, `[count, groups]` of channels, in float64. */
interface Shares {
  address: bigint;
  groups: number;
}

/** The gradients of every x and affine pair. */
function launchSums(backend: CudnnBackend, scratch: Scratch, call: GradCall): Shares {
  if (call.count === 0) return { address: 0n, groups: 0 };
  const sums = launchTerms(backend, scratch, call);
  return launchAffine(backend, scratch, { call, sums });
}

function launchAffine(
  backend: CudnnBackend,
  scratch: Scratch,
  { call: { dy, count, terms, weights }, sums }: { call: GradCall; sums: Sums },
): Shares {
  const channels = dy.shape[3], width = Math.min(GROUP, channels);
  const groups = Math.ceil(channels / width), shares = scratch.floats(2 * count * groups);
  backend.launch(AFFINE, {
    blocks: [count, groups, 1],
    threads: THREADS,
    arguments: { terms, weights, shares, count, channels, width, ...sums },
  });
  return { address: shares, groups };
}

function launchWeights(
  backend: CudnnBackend,
  { call: { count, terms }, shares: { address, groups }, dWeights, length }: {
    call: GradCall;
    shares: Shares;
    dWeights: bigint;
    length: number;
  },
): void {
  backend.launch(WEIGHTS, {
    blocks: Math.ceil(length / THREADS),
    threads: THREADS,
    arguments: { terms, shares: address, dWeights, count, groups, weights: length },
  });
}
