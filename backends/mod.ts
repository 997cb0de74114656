/** Chooses and starts a backend, by name or the best one there is. */

import { type Candidate, type StartedBackend, startFirst } from "./auto.ts";
import { STARTERS } from "./starters.ts";
import { suggest } from "./suggest.ts";
import { BACKEND_NAMES, BackendError, type BackendName, type BackendOptions } from "./contract.ts";

export type { StartedBackend } from "./auto.ts";
export * from "./contract.ts";

/** What `auto` tries, in order: the CPU's own backend comes before a GPU that the CPU stands in for. */
function candidates(options: BackendOptions): Candidate[] {
  const all = BACKEND_NAMES.map((name): Candidate => async () => {
    if (name === "webgpu") await refuseSoftwareAdapter(options);
    return await STARTERS[name](options);
  });
  return [...all, () => STARTERS.webgpu({ ...options, adapter: "software" })];
}

async function refuseSoftwareAdapter({ adapter = "high-performance" }: BackendOptions) {
  const { describeAdapter, requestAdapter } = await import("./webgpu/device.ts");
  const { name, software } = describeAdapter(await requestAdapter(adapter));
  if (software) throw new BackendError("webgpu", `webgpu's adapter is software, ${name}`);
}

/**
 * Starts a backend and makes it tfjs's current one.
 *
 * @param name A backend's name, or "auto" for the first of cudnn, webgpu on a GPU, cpu, and webgpu on
 * a software adapter that starts.
 * @throws {RangeError} If the name is unknown.
 * @throws {BackendError} If the backend, or with "auto" every backend, cannot start.
 */
export async function startBackend(
  name: string,
  options: BackendOptions = {},
): Promise<StartedBackend> {
  if (name === "auto") return await startFirst(candidates(options));
  if (!isBackendName(name)) {
    throw new RangeError(
      `Unknown backend "${name}": want auto, ${BACKEND_NAMES.join(", ")}` +
        suggest(name, ["auto", ...BACKEND_NAMES]),
    );
  }
  return { backend: await STARTERS[name](options), notTaken: [] };
}

function isBackendName(name: string): name is BackendName {
  return (BACKEND_NAMES as readonly string[]).includes(name);
}
