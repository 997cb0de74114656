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

/** A started backend, and why those that come before it for `auto` were not taken. */
export interface StartedBackend {
  /** tfjs's current backend from now on. */
  backend: Backend;
  /** A clause for all that this version lacks, then a sentence for each that failed to start. */
  notTaken: string[];
}

/** The backends of this version. */
const STARTERS: Partial<Record<BackendName, (options: BackendOptions) => Promise<Backend>>> = {
  cpu: async (options) => (await import("./cpu/backend.ts")).startCpuBackend(options),
};

/** Starts one backend. */
async function startNamed(name: BackendName, options: BackendOptions): Promise<Backend> {
  const start = STARTERS[name];
  if (start) return await start(options);
  throw new BackendError(name, `Backend ${name} is not part of this version: use --backend=cpu`);
}

/** Such as `cudnn and webgpu are not part of this version`; nothing where all are. */
function absence(names: readonly BackendName[]): string[] {
  if (names.length === 0) return [];
  const verb = names.length === 1 ? "is" : "are";
  return [`${names.join(", ").replace(/, ([^,]*)$/, " and $1")} ${verb} not part of this version`];
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
  if (name !== "auto") return { backend: await startNamed(name, options), notTaken: [] };
  const absent: BackendName[] = [], failed: string[] = [];
  for (const candidate of BACKEND_NAMES) {
    if (!STARTERS[candidate]) {
      absent.push(candidate);
      continue;
    }
    try {
      const backend = await startNamed(candidate, options);
      return { backend, notTaken: [...absence(absent), ...failed] };
    } catch (error) {
      if (!(error instanceof BackendError)) throw error;
      failed.push(error.message);
    }
  }
  const reasons = [...absence(absent), ...failed].join("; ");
  throw new BackendError("cpu", `No backend can start: ${reasons}`);
}

function isBackendName(name: string): name is BackendName {
  return (BACKEND_NAMES as readonly string[]).includes(name);
}
