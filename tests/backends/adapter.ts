/** Whether this machine has a WebGPU adapter, software ones included. */

import { requestAdapter } from "../../backends/webgpu/device.ts";

/** The adapter, to be asked about and not used. */
export const adapter: GPUAdapter | undefined = await requestAdapter("high-performance")
  .catch(() => undefined);

export const hasAdapter: boolean = adapter !== undefined;
