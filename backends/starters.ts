/** How each backend is started; it is imported only then. */

import type { Backend, BackendName, BackendOptions } from "./contract.ts";

/** Makes a backend tfjs's current one, or rejects with a `BackendError`. */
export type Starter = (options: BackendOptions) => Promise<Backend>;

/** By the backends' names. */
export const STARTERS: Readonly<Record<BackendName, Starter>> = {
  cudnn: async (options) => (await import("./cudnn/backend.ts")).startCudnnBackend(options),
  webgpu: async (options) => (await import("./webgpu/backend.ts")).startWebGpuBackend(options),
  cpu: async (options) => (await import("./cpu/start.ts")).startCpuBackend(options),
};
