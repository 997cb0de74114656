/**
 * What to do after memory ran out, measured rather than guessed: a smaller batch, or `--memory=low`.
 *
 * An error says how far a step got, not how far it had to go, so a few images are trained on and the
 * memory of that is scaled: activations take memory in proportion to the batch, all else is small.
 */

import { type Backend, batchToTry, OutOfMemoryError } from "../backends/contract.ts";
import type { MemoryMode } from "./recompute.ts";

/** Images of the measured steps. */
const PROBE = 4;

/** The share of memory to fill: the rest is for fragments of freed blocks. */
const SHARE = 0.85;

/** What {@linkcode memoryAdvice} needs to know of the run that ran out. */
export interface ExhaustedRun {
  /** The batch size that did not fit. */
  readonly batch: number;
  /** The backend it did not fit on. */
  readonly backend: Backend;
  /** How the run used memory. */
  readonly mode: MemoryMode;
  /** Takes the run's steps, on a network of their own, with so many images; leaves nothing. */
  readonly takeSteps: (size: number, mode: MemoryMode) => void;
}

/** A way on. */
export interface MemoryAdvice {
  /** Part of a sentence, for people. */
  readonly message: string;
  /** Options with which the run can also be resumed; none where it must start anew. */
  readonly options: readonly string[];
}

/**
 * Looks for the largest batches whose steps should fit.
 *
 * @param error What was thrown; the run's own tensors have been disposed since.
 */
export function memoryAdvice(error: OutOfMemoryError, run: ExhaustedRun): MemoryAdvice {
  const { batch, mode } = run;
  const own = Math.min(fittingBatch(error, run), Math.max(1, batch - 1));
  const anew = `start anew with --batch=${own}`;
  if (mode === "low") return { message: anew, options: [] };
  const low = fittingBatch(error, { ...run, mode: "low" });
  if (low >= batch) {
    return { message: `use --memory=low, or ${anew}`, options: ["--memory=low"] };
  }
  const both = low > own ? `, or with --memory=low --batch=${low}` : "";
  return { message: anew + both, options: [] };
}

/** The largest batch size whose steps should fit, at least 1. */
function fittingBatch(
  error: OutOfMemoryError,
  { batch, backend, mode, takeSteps }: ExhaustedRun,
): number {
  const size = Math.min(PROBE, batch);
  try {
    const before = backend.memory().current; // what the failed step may still hold
    backend.resetPeak();
    takeSteps(size, mode);
    const bytes = error.bytesInUse + error.bytesAsked;
    return Math.max(1, Math.floor(SHARE * bytes / (backend.memory().peak - before) * size));
  } catch (failure) {
    if (failure instanceof OutOfMemoryError) return batchToTry(error, batch);
    throw failure;
  }
}
