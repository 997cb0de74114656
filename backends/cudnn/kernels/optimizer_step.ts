/**
 * Steps of SGD and Adam over all parameters in CUDA. Opposite of ops/optimizer_step.ts.
 *
 * The norm stays on the card: sums of squares of chunks of every gradient, then the norm and the factor
 * that clips it, which the updates read. All sums are in a fixed order.
 */

import { type TensorInfo, util } from "@tensorflow/tfjs-core";
import { derivedNumber, type HostNumber } from "../../host_number.ts";
import type { AdamAttrs, SgdAttrs } from "../../ops/optimizer_step.ts";
import type { CudnnBackend } from "../backend.ts";
import blockSum from "../cuda/block_sum.cuh" with { type: "text" };
import source from "../cuda/optimizer_step.cu" with { type: "text" };
import { type CudaKernel, cudaModule } from "../module.ts";
import { Scratch, uploadNumbers } from "./scratch.ts";

const MODULE = cudaModule("optimiser step", blockSum + source);
const SUM_SQUARES = MODULE.kernel("sumSquares");
const GLOBAL_NORM = MODULE.kernel("globalNorm");
const SGD = MODULE.kernel("sgdStep");
const ADAM = MODULE.kernel("adamStep");

/** Values of a chunk at most: four a thread. */
const CHUNK = 1024;
const THREADS = 256;

/** Inputs: parameters, gradients, momenta. Outputs: parameters, momenta, norm. */
export function sgdStepKernel(
  backend: CudnnBackend,
  { inputs, attrs }: { inputs: TensorInfo[]; attrs: SgdAttrs },
): TensorInfo[] {
  const { clip, learningRate, momentum, weightDecay } = attrs;
  return step(backend, inputs, {
    kernel: SGD,
    lists: 3,
    clip,
    rates: [weightDecay, momentum, learningRate],
  });
}

/** Inputs: parameters, gradients, first and second moments. Outputs: all but gradients, norm. */
export function adamStepKernel(
  backend: CudnnBackend,
  { inputs, attrs }: { inputs: TensorInfo[]; attrs: AdamAttrs },
): TensorInfo[] {
  const { beta1, beta2, clip, epsilon, learningRate, weightDecay } = attrs;
  const corrected = (rate: number, count: number) => rate / (1 - beta1 ** count);
  const root = (count: number) => 1 / Math.sqrt(1 - beta2 ** count);
  return step(backend, inputs, {
    kernel: ADAM,
    lists: 4,
    clip,
    rates: [
      ...[weightDecay, beta1, 1 - beta1, beta2, 1 - beta2],
      derivedNumber(corrected, learningRate, attrs.step),
      derivedNumber(root, attrs.step),
      epsilon,
    ],
  });
}

interface Rule {
  kernel: CudaKernel;
  /** Inputs for each parameter. */
  lists: number;
  clip: number;
  /** In the order of the kernel's `SgdRates` or `AdamRates`. */
  rates: readonly HostNumber[];
}

function step(
  backend: CudnnBackend,
  inputs: TensorInfo[],
  { kernel, lists, clip, rates }: Rule,
): TensorInfo[] {
  const tensors = inputs.length / lists;
  const outputs = Array.from(
    { length: (lists - 1) * tensors },
    (_, index) => backend.allocate(inputs[index % tensors].shape),
  );
  const norm = backend.allocate([]);
  using scratch = new Scratch(backend);
  const all = [...inputs, ...outputs].map((info) => backend.address(info));
  const list = chunksOf(inputs.slice(0, tensors)), blocks = list.length / 3;
  const addresses = scratch.upload(BigUint64Array.from(all)), chunks = scratch.upload(list);
  const sums = scratch.floats(blocks), factor = scratch.floats(1);
  backend.launch(SUM_SQUARES, {
    blocks,
    threads: THREADS,
    arguments: { addresses, chunks, sums, tensors },
  });
  backend.launch(GLOBAL_NORM, {
    blocks: 1,
    threads: THREADS,
    arguments: { sums, norm: backend.address(norm), factor, chunks: blocks, clip },
  });
  backend.launch(kernel, {
    blocks,
    threads: THREADS,
    arguments: { addresses, chunks, factor, rates: uploadNumbers(scratch, rates), tensors },
  });
  return [...outputs, norm];
}

/** Of each chunk in turn: its tensor, first value and size. */
function chunksOf(tensors: readonly TensorInfo[]): Int32Array<ArrayBuffer> {
  return Int32Array.from(tensors.flatMap(({ shape }, tensor) => {
    const size = util.sizeFromShape(shape), chunks = Math.ceil(size / CHUNK);
    return Array.from({ length: chunks }, (_, index) => {
      const first = index * CHUNK;
      return [tensor, first, Math.min(CHUNK, size - first)];
    }).flat();
  }));
}
