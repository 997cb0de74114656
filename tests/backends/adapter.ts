/** Whether this machine has a WebGPU adapter, software ones included. */

import { requestAdapter } from "../../backends/webgpu/device.ts";

export const hasAdapter: boolean = await requestAdapter("high-performance")
  .then(() => true, () => false);
