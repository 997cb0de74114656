/**
 * The state of a network in training, read from its parts and put back: what a checkpoint holds so that an
 * interrupted training continues exactly.
 *
 * Invariant: counters and metrics are checked before anything changes, and each part checks its own before it does.
 */

import type { Metrics } from "./metrics.ts";
import type { Adam, Sgd } from "./optimizers.ts";
import type { Parameters } from "./parameters.ts";
import type { HostTensor } from "./safetensors.ts";
import { checkStateDict, type StateDict, withoutPrefix } from "./state_dict.ts";

/** Everything that continues a training. */
export interface TrainerState {
  /** `network.` tensors, those of each optimiser, and `metrics.` tensors, by name. */
  tensors: StateDict;
  /** Epoch, training passes, and samples in each accumulator. */
  counters: Record<string, number>;
}

/** How far a training is. */
export interface TrainingPlace {
  /** From 0. */
  epoch: number;
  /** Training passes so far. */
  passes: number;
}

/** What a training changes on the device. */
export interface TrainedParts {
  readonly parameters: Parameters;
  /** By the prefix of their tensors, such as `optimizer.weights`. */
  readonly optimizers: Readonly<Record<string, Sgd | Adam>>;
  /** By kind of report. */
  readonly metrics: Readonly<Record<string, Metrics>>;
}

/** Reads everything that a training depends on. */
export async function readTrainerState(
  { parameters, optimizers, metrics }: TrainedParts,
  place: TrainingPlace,
): Promise<TrainerState> {
  const tensors = new Map<string, HostTensor>();
  const counters: Record<string, number> = { ...place };
  const add = (prefix: string, dict: StateDict) =>
    dict.forEach((tensor, name) => tensors.set(`${prefix}.${name}`, tensor));
  add("network", await parameters.stateDict());
  for (const [prefix, optimizer] of Object.entries(optimizers)) {
    add(prefix, await optimizer.state());
  }
  for (const [kind, sum] of Object.entries(metrics)) {
    const { sums, samples } = await sum.state();
    tensors.set(`metrics.${kind}`, sums);
    counters[`samples.${kind}`] = samples;
  }
  return { tensors, counters };
}

/**
 * Puts a saved state of the same settings back.
 *
 * @returns how far that training was
 * @throws {RangeError} If a tensor or counter is missing, unexpected or of another shape.
 * @throws {TypeError} If a tensor's elements are of another type.
 */
export function restoreTrainerState(
  { parameters, optimizers, metrics }: TrainedParts,
  { tensors, counters }: TrainerState,
): TrainingPlace {
  const kinds = Object.keys(metrics);
  for (const name of ["epoch", "passes", ...kinds.map((kind) => `samples.${kind}`)]) {
    if (!Number.isSafeInteger(counters[name])) {
      throw new RangeError(`Cannot load the state: want a count "${name}", got ${counters[name]}`);
    }
  }
  const sums = withoutPrefix(tensors, "metrics.");
  checkStateDict(sums, new Map(kinds.map((kind) => [kind, { shape: [3], dtype: "float32" }])));
  parameters.loadStateDict(withoutPrefix(tensors, "network."));
  for (const [prefix, optimizer] of Object.entries(optimizers)) {
    optimizer.restore(withoutPrefix(tensors, `${prefix}.`));
  }
  for (const kind of kinds) {
    metrics[kind].restore({ sums: sums.get(kind)!, samples: counters[`samples.${kind}`] });
  }
  return { epoch: counters.epoch, passes: counters.passes };
}
