/** Gradients of 3x3 pools in CUDA. */

import { util } from "@tensorflow/tfjs-core";
import type { BranchSpec } from "../../ops/branch_spec.ts";
import type { CudnnBackend } from "../backend.ts";
import type { IncomingGradient } from "./batch_norm.ts";
import { launchEach } from "./launch_each.ts";
import { maxPoolChoice, poolArguments, POOLS } from "./pool.ts";
import type { Scratch } from "./scratch.ts";

/** dx = the gradient of a pool by x, or added to dx. */
export function poolGrad(
  backend: CudnnBackend,
  scratch: Scratch,
  { x, incoming, dx, spec, shape, add }: {
    x: bigint;
    incoming: IncomingGradient;
    dx: bigint;
    spec: BranchSpec;
    /** `[N, H, W, C]` of x. */
    shape: readonly number[];
    add: boolean;
  },
): void {
  const items = util.sizeFromShape([...shape]);
  const { form, ...read } = incoming, module = POOLS[form];
  const call = { ...read, dx, items, ...poolArguments(spec, shape), add: Number(add) };
  if (spec.kind === "avg_pool") {
    launchEach(backend, module.kernel("averagePoolGrad"), { threads: items, arguments: call });
    return;
  }
  const windows = shape[0] * util.sizeFromShape(spec.output);
  const choice = scratch.floats(Math.ceil(windows / 4));
  maxPoolChoice(backend, { x, choice, spec, shape });
  const maximum = module.kernel("maxPoolGrad");
  launchEach(backend, maximum, { threads: items, arguments: { ...call, choice } });
  scratch.release(choice);
}
