/**
 * A run shown elsewhere than in the terminal while it goes on: in a browser, and in TensorBoard.
 *
 * A worker follows the files of the run's folder, so that the steps' thread does nothing for it. Invariant:
 * what is shown never ends a run, once it has begun.
 */

import { RunError } from "../nn/run_files.ts";
import { requestListening } from "../nn/run_main.ts";
import type { Watch } from "../nn/run_program.ts";

/** Milliseconds that the worker has at the end to show what is left. */
const PATIENCE = 10_000;

/** What the worker is told first. */
export interface WatchStart {
  /** The run folder, which may not hold a run yet. */
  readonly path: string;
  /** Where to serve its page. */
  readonly address?: { readonly hostname: string; readonly port: number };
  /** Whether to write event files. */
  readonly tensorboard: boolean;
}

/** What the worker says. */
export type WatchReport =
  | { readonly type: "ready"; readonly url?: string }
  | { readonly type: "notice"; readonly message: string }
  | { readonly type: "failed"; readonly message: string }
  | { readonly type: "ended" };

/**
 * Starts to show a run, if its options ask for it.
 *
 * @throws {RunError} when the page cannot be served
 */
export const watch: Watch = async (path, { live, tensorboard = false }, { program, print }) => {
  if (live === undefined && !tensorboard) return undefined;
  const address = live === undefined ? undefined : addressOf(live);
  if (address) requestListening(address.hostname, program);
  const worker = new Worker(import.meta.resolve("./watch_worker.ts"), { type: "module" });
  const ready = Promise.withResolvers<void>(), ended = Promise.withResolvers<void>();
  worker.onmessage = ({ data }: MessageEvent<WatchReport>) => {
    if (data.type === "notice") return print(data.message);
    if (data.type === "ended") return ended.resolve();
    if (data.type === "failed") return ready.reject(new RunError(data.message));
    if (data.url !== undefined) print(`Live: ${data.url}`);
    ready.resolve();
  };
  worker.onerror = (event) => {
    event.preventDefault();
    ready.reject(new RunError(`Cannot show the run: ${event.message}`));
    ended.resolve();
  };
  worker.postMessage({ path, address, tensorboard } satisfies WatchStart);
  try {
    await ready.promise;
  } catch (error) {
    worker.terminate();
    throw error;
  }
  return {
    async [Symbol.asyncDispose]() {
      const late = setTimeout(ended.resolve, PATIENCE);
      worker.postMessage("end");
      await ended.promise;
      clearTimeout(late);
      worker.terminate();
    },
  };
};

/** Host and port of an address as options have it; an IPv6 host stands in brackets. */
function addressOf(address: string): { hostname: string; port: number } {
  const colon = address.lastIndexOf(":");
  const hostname = address.slice(0, colon).replace(/^\[|\]$/g, "");
  return { hostname, port: Number(address.slice(colon + 1)) };
}
