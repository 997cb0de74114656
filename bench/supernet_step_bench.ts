/**
 * Steps of the search's supernet: 5 cells, 16 channels, all eight primitives, random CIFAR images.
 *
 * Each timed step takes a batch from the host and ends when its loss is back on the host. Before
 * timing, a step's loss is checked to be that of ten classes unlearnt, so that a broken kernel is not
 * timed. Run by `deno bench` (plain: skipped, for want of permissions) or `deno task bench`;
 * `deno task bench:profile` tells where a step's time goes, `bench:peers` compares with PyTorch.
 */

import { createStepRunner, type StepRunner } from "../search/train_step.ts";
import { permitted } from "../tests/permitted.ts";

/** Images a step: the second is the authors' batch. */
const BATCHES = [16, 96] as const;
const ITERATIONS = 5, WARM_UP = 2;

const granted = permitted({ read: ["."], write: [".cache"], env: ["CI"] });

const STEPS: Record<string, (runner: StepRunner) => Promise<number>> = {
  "weight step": (runner) => runner.weightStep(),
  "alpha step": (runner) => runner.alphaStep(),
  "evaluation": (runner) => runner.evaluate(),
};

for (const batch of BATCHES) {
  for (const [name, step] of Object.entries(STEPS)) {
    Deno.bench({
      name: `${name} [cpu]`,
      group: `supernet, 5 cells, 16 channels, batch ${batch}`,
      ignore: !granted,
      n: ITERATIONS,
      warmup: WARM_UP,
      fn: async (bench) => {
        const runner = await runnerOf(batch);
        bench.start();
        await step(runner);
        bench.end();
      },
    });
  }
}

let current: { batch: number; runner: StepRunner } | undefined;

/** The runner of a batch; one lives at a time. */
async function runnerOf(batch: number): Promise<StepRunner> {
  if (current?.batch === batch) return current.runner;
  current?.runner.close();
  const runner = await createStepRunner({ batch, layers: 5, channels: 16 });
  await runner.weightStep();
  if (!(Math.abs(runner.loss - Math.log(10)) < 1)) {
    throw new Error(`Cannot time a step whose first loss is ${runner.loss}, not near log 10`);
  }
  current = { batch, runner };
  return runner;
}
