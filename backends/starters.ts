/** The backends of this version, each imported only when it is started. */

import type { Backend, BackendName, BackendOptions } from "./contract.ts";

/** Makes a backend tfjs's current one, or rejects with a `BackendError`. */
export type Starter = (options: BackendOptions) => Promise<Backend>;

/** How each backend is started; a name without a starter is not part of this version. */
export const STARTERS: Readonly<Partial<Record<BackendName, Starter>>> = {
  cudnn: async (options) => (await import("./cudnn/backend.ts")).startCudnnBackend(options),
  webgpu: async (options) => (await import("./webgpu/backend.ts")).startWebGpuBackend(options),
  cpu: async (options) => (await import("./cpu/backend.ts")).startCpuBackend(options),
};
