/** What `auto` does: takes the first backend that starts, and keeps the reasons against the others. */

import { type Backend, BackendError } from "./contract.ts";

/** A started backend, and why those that come before it for `auto` were not taken. */
export interface StartedBackend {
  /** tfjs's current backend from now on. */
  backend: Backend;
  /** A sentence for each. */
  notTaken: string[];
}

/** Starts a backend, or rejects with a {@linkcode BackendError}. */
export type Candidate = () => Promise<Backend>;

/**
 * Starts the first candidate that can be started.
 *
 * @throws {BackendError} If there is none.
 */
export async function startFirst(candidates: readonly Candidate[]): Promise<StartedBackend> {
  const failed: string[] = [];
  for (const start of candidates) {
    try {
      return { backend: await start(), notTaken: failed };
    } catch (error) {
      if (!(error instanceof BackendError)) throw error;
      failed.push(error.message);
    }
  }
  throw new BackendError("cpu", `No backend can start: ${failed.join("; ")}`);
}
