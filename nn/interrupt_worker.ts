/**
 * The worker of `interrupt.ts`: sets the flag it is given on the first Ctrl-C, and says so.
 *
 * `deno task` passes on the signal that its child has got from the terminal already, so one Ctrl-C
 * arrives twice: signals within a second of the first are one.
 */

/// <reference lib="deno.worker" />

/** Milliseconds in which signals count as one. */
const ONE_SIGNAL = 1000;

const scope = self as unknown as DedicatedWorkerGlobalScope;

scope.onmessage = ({ data: flag }: MessageEvent<Int32Array<SharedArrayBuffer>>) => {
  const onSignal = () => {
    if (Atomics.exchange(flag, 0, 1) !== 0) return;
    setTimeout(() => Deno.removeSignalListener("SIGINT", onSignal), ONE_SIGNAL);
    const text = "\nStopping after this step; Ctrl-C again ends at once, without saving.\n";
    Deno.stderr.writeSync(new TextEncoder().encode(text));
  };
  Deno.addSignalListener("SIGINT", onSignal);
  scope.postMessage("listening");
};
