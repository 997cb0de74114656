/** 3x3 pools in CUDA. */

import { util } from "@tensorflow/tfjs-core";
import type { BranchSpec } from "../../ops/branch_spec.ts";
import type { CudnnBackend } from "../backend.ts";
import source from "../cuda/pool.cu" with { type: "text" };
import values from "../cuda/values.cuh" with { type: "text" };
import { launchEach } from "./launch_each.ts";
import { storedModules, type StoredValues } from "./stored.ts";

/** Pools and their gradients, by the form of their results. */
export const POOLS = storedModules("pools", `${values}\n${source}`);

/** The arguments that say what a pool's windows are. */
export function poolArguments(
  { stride, output: [outHeight, outWidth] }: BranchSpec,
  [, height, width, channels]: readonly number[],
): Record<string, number> {
  return { height, width, channels, outHeight, outWidth, stride };
}

/** Computes y, `[N, OH, OW, C]`, from x of `shape`. */
export function runPool(
  backend: CudnnBackend,
  { x, y, spec, shape }: { x: bigint; y: StoredValues; spec: BranchSpec; shape: readonly number[] },
): void {
  const items = shape[0] * util.sizeFromShape(spec.output);
  const call = { x, y: y.address, items, ...poolArguments(spec, shape) }, module = POOLS[y.form];
  if (spec.kind === "avg_pool") {
    launchEach(backend, module.kernel("averagePool"), { threads: items, arguments: call });
  } else {
    const maximum = module.kernel("maxPool");
    launchEach(backend, maximum, { threads: items, arguments: { ...call, choice: 0n } });
  }
}

/** Which pixel of each window, 0 to 8, is the first that has the largest value: a byte each. */
export function maxPoolChoice(
  backend: CudnnBackend,
  { x, choice, spec, shape }: {
    x: bigint;
    choice: bigint;
    spec: BranchSpec;
    shape: readonly number[];
  },
): void {
  const items = shape[0] * util.sizeFromShape(spec.output);
  launchEach(backend, POOLS.floats.kernel("maxPool"), {
    threads: items,
    arguments: { x, y: 0n, choice, items, ...poolArguments(spec, shape) },
  });
}
