/** What `auto` does: takes the first backend that starts, and keeps the reasons against the others. */

import { type Backend, BackendError, type BackendName } from "./contract.ts";

/** A started backend, and why those that come before it for `auto` were not taken. */
export interface StartedBackend {
  /** tfjs's current backend from now on. */
  backend: Backend;
  /** A clause for all that this version lacks, then a sentence for each that failed to start. */
  notTaken: string[];
}

/** A backend that may be taken. */
export interface Candidate {
  name: BackendName;
  /** Starts it, or rejects with a {@linkcode BackendError}; undefined where this version lacks it. */
  start?: () => Promise<Backend>;
}

/**
 * Starts the first candidate that can be started.
 *
 * @throws {BackendError} If there is none.
 */
export async function startFirst(candidates: readonly Candidate[]): Promise<StartedBackend> {
  const absent: BackendName[] = [], failed: string[] = [];
  for (const { name, start } of candidates) {
    if (!start) {
      absent.push(name);
      continue;
    }
    try {
      return { backend: await start(), notTaken: [...absence(absent), ...failed] };
    } catch (error) {
      if (!(error instanceof BackendError)) throw error;
      failed.push(error.message);
    }
  }
  const reasons = [...absence(absent), ...failed].join("; ");
  throw new BackendError("cpu", `No backend can start: ${reasons}`);
}

/** Such as `cudnn and webgpu are not part of this version`; nothing where all are. */
function absence(names: readonly BackendName[]): string[] {
  if (names.length === 0) return [];
  const verb = names.length === 1 ? "is" : "are";
  return [`${names.join(", ").replace(/, ([^,]*)$/, " and $1")} ${verb} not part of this version`];
}
