/**
 * Steps that a backend records the first time and replays from then on, where it can.
 *
 * Invariants: a step that throws has changed nothing, recorded or not; without a recorder a step simply
 * runs. What the host counts is the caller's, once the step has run.
 */

import type * as tf from "@tensorflow/tfjs-core";
import type { Recorder, Recording } from "../backends/contract.ts";

/** A step of a kind that is taken again and again. */
export interface RecordedStep {
  /**
   * Everything that it reads and that may differ the next time, and everything that it assigns: in one
   * order always, no two sharing their values.
   */
  tensors: () => readonly tf.Tensor[];
  /** Reads and assigns `tensors`, and leaves no others; changes nothing if it throws. */
  compute: () => void;
}

/** The recordings of one network's steps. Dispose when done. */
export class RecordedSteps {
  readonly #recorder: Recorder | undefined;
  readonly #recordings = new Map<string, Recording>();

  /** Starts without recordings. The recorder is disposed with this. */
  constructor(recorder?: Recorder) {
    this.#recorder = recorder;
  }

  /**
   * Takes a step.
   *
   * @param key Tells the step's kind, its shapes, and whatever else its ops depend on but tensors and
   *   `HostNumber`s that are functions.
   */
  run(key: string, { tensors, compute }: RecordedStep): void {
    if (!this.#recorder) return compute();
    const recording = this.#recordings.get(key) ?? this.#recorder.record(compute, tensors);
    this.#recordings.set(key, recording);
    recording.replay(tensors());
  }

  /** Frees all recordings. */
  dispose(): void {
    this.#recorder?.dispose();
    this.#recordings.clear();
  }
}
