/** Registers a test on a WebGPU backend of its own, which no other test has used or will use. */

import * as tf from "@tensorflow/tfjs-core";
import type { Backend } from "../../../backends/contract.ts";
import type { WebGpuBackend } from "../../../backends/webgpu/backend.ts";
import type { LimitName } from "../../../backends/webgpu/device.ts";
import { hasAdapter } from "../adapter.ts";

if (!hasAdapter) console.log("skipping tests on webgpu: there is no adapter");

/** What a test gets. */
export interface WebGpuTest {
  backend: Backend;
  /** The same, as kernels see it. */
  webgpu: WebGpuBackend;
}

/** Registers a test; `limits` are smaller than the adapter's. */
export function webgpuTest(
  name: string,
  body: (on: WebGpuTest) => void | Promise<void>,
  limits: Partial<Record<LimitName, number>> = {},
): void {
  Deno.test({
    name: `${name} [webgpu]`,
    ignore: !hasAdapter,
    // The device's errors and loss are awaited for as long as it lives.
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => {
      const { startWebGpuBackend } = await import("../../../backends/webgpu/backend.ts");
      const backend = await startWebGpuBackend({}, limits);
      try {
        await body({ backend, webgpu: tf.backend() as unknown as WebGpuBackend });
      } finally {
        backend.close();
      }
    },
  });
}
