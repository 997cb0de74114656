/** A worker thread: waits for jobs and runs parts of them. See protocol.ts. */

/// <reference lib="deno.worker" />

import { Control, type PartKernel, runParts, SPINS, type WorkerStart } from "./protocol.ts";

self.onmessage = (event: MessageEvent<WorkerStart>) => {
  const { module, memory, control: shared, thread, kernels } = event.data;
  const instance = new WebAssembly.Instance(module, { env: { memory, abort: fail } });
  const control = new Int32Array(shared);
  self.postMessage("ready");
  let generation = 0;
  for (;;) {
    for (let spin = 0; spin < SPINS; spin++) {
      if (Atomics.load(control, Control.generation) !== generation) break;
    }
    Atomics.wait(control, Control.generation, generation);
    generation = Atomics.load(control, Control.generation);
    if (generation < 0) break;
    const kernel = instance.exports[kernels[control[Control.kernel]]] as unknown as PartKernel;
    runParts(control, kernel, { generation, thread });
  }
  self.close();
};

function fail(): never {
  throw new Error("a kernel stopped");
}
