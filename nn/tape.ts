/**
 * tfjs's tape, the list of the ops that a gradient goes back over, for code that records and walks tapes
 * of its own.
 *
 * `tf.grads` offers no more than a whole function's gradient, which frees nothing before its end. This
 * reaches into tfjs's engine, whose fields are as of tfjs-core 4.22.0.
 */

import * as tf from "@tensorflow/tfjs-core";
import "../backends/ops/fused.ts"; // registers tfjs-core's own gradients

/** A recorded op, as tfjs keeps it. */
export interface TapeNode {
  readonly kernelName: string;
  readonly inputs: Readonly<Record<string, tf.Tensor>>;
  readonly outputs: readonly tf.Tensor[];
  /** Clones that the gradient reads. */
  readonly saved?: readonly tf.Tensor[];
  readonly gradient?: (dys: (tf.Tensor | null)[]) => Record<string, () => tf.Tensor>;
  /**
   * Of a piece of network whose own ops are on no tape: computes its outputs again from clones of its
   * inputs, which `saved` holds in the order of `inputs`. It has no `gradient`.
   */
  readonly again?: (inputs: readonly tf.Tensor[]) => tf.Tensor[];
}

/** The parts of tfjs's engine that record a tape. */
interface TapeState {
  activeTape: TapeNode[] | null;
  /** Ops are recorded while it is above 0. */
  gradientDepth: number;
}

/**
 * Records the ops of `body` on a new tape, and on no other; tensors it makes are freed but its result.
 *
 * @returns Its result, and its ops in order; the caller frees both.
 * @throws Whatever `body` throws; then nothing stays behind.
 */
export function recordTape<T extends tf.TensorContainer>(
  body: () => T,
): { value: T; tape: TapeNode[] } {
  const tape: TapeNode[] = [];
  try {
    return { value: withState({ activeTape: tape, gradientDepth: 1 }, body), tape };
  } catch (error) {
    freeTape(tape);
    throw error;
  }
}

/** Runs `body` and records none of its ops; tensors it makes are freed but its result. */
export function withoutTape<T extends tf.TensorContainer>(body: () => T): T {
  return withState({ activeTape: null, gradientDepth: 0 }, body);
}

/** The tape that ops are recorded on now, if any. */
export function activeTape(): TapeNode[] | undefined {
  const { activeTape, gradientDepth } = engineState();
  return gradientDepth > 0 ? activeTape ?? undefined : undefined;
}

/** Frees what ops saved for their gradients, where that has not been done. */
export function freeTape(tape: readonly TapeNode[]): void {
  for (const { saved } of tape) tf.dispose([...(saved ?? [])]);
}

function withState<T extends tf.TensorContainer>(state: TapeState, body: () => T): T {
  const engine = engineState(), { activeTape, gradientDepth } = engine;
  Object.assign(engine, state);
  try {
    return tf.tidy(body);
  } finally {
    Object.assign(engine, { activeTape, gradientDepth });
  }
}

function engineState(): TapeState {
  return (tf.engine() as unknown as { state: TapeState }).state;
}
