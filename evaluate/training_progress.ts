/** What a training shows while it runs: a test batch costs a third of a step. */

import type { ProgressLine } from "../nn/progress.ts";
import { RunProgress } from "../nn/run_progress.ts";
import type { TrainingConfig } from "./config.ts";
import type { TrainingState } from "./training_state.ts";

/** A test batch's work as a share of a step's. */
const TEST_SHARE = 1 / 3;

/** Whether an epoch, from 0, ends with a test. */
export function isTested(epoch: number, { testEvery, epochs }: TrainingConfig): boolean {
  return (epoch + 1) % testEvery === 0 || epoch === epochs - 1;
}

/** The display of a training. */
export class TrainingProgress extends RunProgress<TrainingState> {
  /** Shows nothing before the first step. `batches` are those of an epoch and of a test. */
  constructor(
    config: TrainingConfig,
    { batches, line }: { batches: { train: number; test: number }; line: ProgressLine },
  ) {
    super({
      place: ({ epoch, phase, step }) => [
        `epoch ${epoch + 1}/${config.epochs}`,
        phase === "test" ? `test ${step}/${batches.test}` : `step ${step}/${batches.train}`,
      ],
      stepWork: ({ phase }) => phase === "test" ? TEST_SHARE : 1,
      workLeft: (state) => workLeft(state, config, batches),
    }, line);
  }
}

function workLeft(
  { epoch, phase, step }: TrainingState,
  config: TrainingConfig,
  batches: { train: number; test: number },
): number {
  let work = phase === "test" ? -batches.train - step * TEST_SHARE : -step;
  for (let later = epoch; later < config.epochs; later++) {
    work += batches.train + (isTested(later, config) ? batches.test * TEST_SHARE : 0);
  }
  return work;
}
