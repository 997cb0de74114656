/**
 * Times our training steps on a device, in one file that `pack.sh` bundles: a line of JSON per batch,
 * with the medians of weight and alpha steps in milliseconds, the first step, losses and bytes.
 *
 * Options: --backend webgpu --batches 16,96 --steps 10, and --no-replay to run each step anew.
 */

import { parseArgs } from "deno-std/cli/parse_args.js";
import { createStepRunner } from "../../search/train_step.ts";

const options = parseArgs(Deno.args, {
  string: ["backend", "batches", "steps"],
  boolean: ["replay"],
  negatable: ["replay"],
  default: { backend: "webgpu", batches: "16,96", steps: "10", replay: true },
});

for (const batch of options.batches.split(",").map(Number)) {
  const runner = await createStepRunner({
    batch,
    layers: 5,
    channels: 16,
    backend: options.backend,
    replay: options.replay,
  });
  const first = await runner.weightStep(), firstLoss = runner.loss;
  await runner.alphaStep();
  runner.resetPeak();
  const times: Record<string, number[]> = { weight: [], alpha: [] };
  for (let step = 0; step < Number(options.steps); step++) {
    times.weight.push(await runner.weightStep());
    times.alpha.push(await runner.alphaStep());
  }
  const median = (values: number[]) => [...values].sort((a, b) => a - b)[values.length >> 1];
  console.log(JSON.stringify({
    backend: options.backend,
    replay: options.replay,
    batch,
    firstStepMs: first,
    firstLoss,
    lastLoss: runner.loss,
    weightMs: median(times.weight),
    alphaMs: median(times.alpha),
    times,
    memory: runner.memory(),
    versions: { deno: Deno.version.deno, v8: Deno.version.v8 },
  }));
  runner.close();
}
Deno.exit(0);
