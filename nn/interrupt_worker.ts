/**
 * The worker of `interrupt.ts`: sets the flag it is given on the first Ctrl-C or SIGTERM, and says so.
 *
 * `deno task` passes on the signal that its child has got from the terminal already, so one Ctrl-C
 * arrives twice: signals within a second of the first are one.
 */

/// <reference lib="deno.worker" />

/** What is heard; the flag is the place in this list, from 1. Windows has no SIGTERM. */
const SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT"]
  : ["SIGINT", "SIGTERM"];

/** Milliseconds in which signals count as one. */
const ONE_SIGNAL = 1000;

const scope = self as unknown as DedicatedWorkerGlobalScope;

scope.onmessage = ({ data: flag }: MessageEvent<Int32Array<SharedArrayBuffer>>) => {
  const listeners = SIGNALS.map((signal, index) => ({
    signal,
    hear: () => {
      if (Atomics.compareExchange(flag, 0, 0, index + 1) !== 0) return;
      setTimeout(stopListening, ONE_SIGNAL);
      const text = "\nStopping after this step; Ctrl-C again ends at once, without saving.\n";
      Deno.stderr.writeSync(new TextEncoder().encode(text));
    },
  }));
  const stopListening = () =>
    listeners.forEach(({ signal, hear }) => Deno.removeSignalListener(signal, hear));
  listeners.forEach(({ signal, hear }) => Deno.addSignalListener(signal, hear));
  scope.postMessage("listening");
};
