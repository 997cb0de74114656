/** The worker of `interrupt.ts`: sets the flag it is given on the first Ctrl-C, and says so. */

/// <reference lib="deno.worker" />

const scope = self as unknown as DedicatedWorkerGlobalScope;

scope.onmessage = ({ data: flag }: MessageEvent<Int32Array<SharedArrayBuffer>>) => {
  const onSignal = () => {
    Deno.removeSignalListener("SIGINT", onSignal);
    Atomics.store(flag, 0, 1);
    const text = "\nStopping after this step; Ctrl-C again ends at once, without saving.\n";
    Deno.stderr.writeSync(new TextEncoder().encode(text));
  };
  Deno.addSignalListener("SIGINT", onSignal);
  scope.postMessage("listening");
};
