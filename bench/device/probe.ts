/**
 * Starts a backend and prints, as a line of JSON, what it runs on, or why it cannot start. A part of
 * `deno task gpu:check`, whose argument names the backend.
 */

import { startBackend } from "../../backends/mod.ts";
import { BackendError } from "../../backends/contract.ts";
import { loadLibraries } from "../../backends/cudnn/ffi/load.ts";
import { describeAdapter, requestAdapter } from "../../backends/webgpu/device.ts";

/** What a backend runs on. Only of a GPU do times mean something. */
export interface Probe {
  kind: "gpu" | "emulation" | "software";
  /** The backend's description. */
  description: string;
  /** Of NVIDIA's libraries. */
  versions?: Readonly<Record<string, string>>;
}

async function probe(name: string): Promise<Probe> {
  const { backend } = await startBackend(name), { description } = backend;
  backend.close();
  if (name === "cudnn") {
    const kind = description.includes("emulated") ? "emulation" : "gpu";
    return { kind, description, versions: loadLibraries().versions };
  }
  const { software } = describeAdapter(await requestAdapter("high-performance"));
  return { kind: software ? "software" : "gpu", description };
}

try {
  console.log(JSON.stringify(await probe(Deno.args[0])));
} catch (error) {
  if (!(error instanceof BackendError)) throw error;
  console.log(JSON.stringify({ absent: error.message }));
}
Deno.exit(0);
