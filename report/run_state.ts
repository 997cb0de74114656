/**
 * Whether a run goes on, has ended, or was cut off.
 *
 * A running program holds the lock of `log.jsonl` (see `nn/run_folder.ts`), and writes how it ended as the
 * last line of `timing.jsonl`: where neither is found, its process was killed, or the power failed.
 */

import { isThere } from "../nn/run_files.ts";
import type { Line } from "./read_run.ts";

/** How a run stands. */
export interface RunState {
  /** `interrupted` by Ctrl-C or SIGTERM, with all saved; `failed` with an error; `died` without a word. */
  readonly name: "running" | "finished" | "interrupted" | "failed" | "died";
  /** The error of a run that failed. */
  readonly reason?: string;
}

/** How the run of a folder stands, whose `timing.jsonl` has these lines. */
export function runState(path: string, timing: readonly Line[]): RunState {
  if (isLocked(`${path}/log.jsonl`)) return { name: "running" };
  const { ended, reason } = timing.at(-1) ?? {};
  if (ended === "done" || isThere(`${path}/summary.json`)) return { name: "finished" };
  if (ended === "failed") return { name: "failed", reason: String(reason) };
  return { name: ended === "interrupted" || ended === "terminated" ? "interrupted" : "died" };
}

/** Whether another process has the file for itself. */
function isLocked(path: string): boolean {
  try {
    using file = Deno.openSync(path, { read: true });
    if (!file.tryLockSync(false)) return true;
    file.unlockSync();
    return false;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
