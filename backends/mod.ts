/** Chooses and starts a backend, by name or the best one there is. */

import { suggest } from "./suggest.ts";
import {
  type Backend,
  BACKEND_NAMES,
  BackendError,
  type BackendName,
  type BackendOptions,
} from "./contract.ts";

export * from "./contract.ts";

/** A started backend, and why those that `auto` tried before it were not taken. */
export interface StartedBackend {
  /** tfjs's current backend from now on. */
  backend: Backend;
  /** One sentence each. */
  notTaken: string[];
}

const STARTERS: Record<BackendName, (options: BackendOptions) => Promise<Backend>> = {
  cudnn: () => notBuilt("cudnn"),
  webgpu: () => notBuilt("webgpu"),
  cpu: async (options) => (await import("./cpu/backend.ts")).startCpuBackend(options),
};

function notBuilt(name: BackendName): Promise<Backend> {
  return Promise.reject(
    new BackendError(name, `Backend ${name} is not part of this version, only cpu is`),
  );
}

/**
 * Starts a backend and makes it tfjs's current one.
 *
 * @param name A backend's name, or "auto" for the first of cudnn, webgpu, cpu that starts.
 * @throws {RangeError} If the name is unknown.
 * @throws {BackendError} If the backend, or with "auto" every backend, cannot start.
 */
export async function startBackend(
  name: string,
  options: BackendOptions = {},
): Promise<StartedBackend> {
  if (name !== "auto" && !isBackendName(name)) {
    throw new RangeError(
      `Unknown backend "${name}": want auto, ${BACKEND_NAMES.join(", ")}` +
        suggest(name, ["auto", ...BACKEND_NAMES]),
    );
  }
  if (name !== "auto") return { backend: await STARTERS[name](options), notTaken: [] };
  const notTaken: string[] = [];
  for (const candidate of BACKEND_NAMES) {
    try {
      return { backend: await STARTERS[candidate](options), notTaken };
    } catch (error) {
      if (!(error instanceof BackendError)) throw error;
      notTaken.push(error.message);
    }
  }
  throw new BackendError("cpu", `No backend can start: ${notTaken.join("; ")}`);
}

function isBackendName(name: string): name is BackendName {
  return (BACKEND_NAMES as readonly string[]).includes(name);
}
