/** Registers a test on an emulated cuDNN backend of its own, which no other test has used or will use. */

import * as tf from "@tensorflow/tfjs-core";
import type { Backend } from "../../../backends/contract.ts";
import type { CudnnBackend } from "../../../backends/cudnn/backend.ts";
import {
  EMULATOR_ABSENT,
  type EmulatorControl,
  emulatorControl,
} from "../../cuda_emulator/emulator.ts";
import { startEmulated } from "./emulated.ts";

if (EMULATOR_ABSENT) console.log(`skipping tests on cudnn, emulated: ${EMULATOR_ABSENT}`);

/** What a test gets. */
export interface CudnnTest {
  backend: Backend;
  /** The same, as kernels see it. */
  cudnn: CudnnBackend;
  emulator: EmulatorControl;
}

/** Registers a test. */
export function cudnnTest(name: string, body: (on: CudnnTest) => void | Promise<void>): void {
  Deno.test({
    name: `${name} [cudnn, emulated]`,
    ignore: EMULATOR_ABSENT !== undefined,
    // Libraries stay open.
    sanitizeResources: false,
    fn: async () => {
      tf.env().set("IS_TEST", true); // tfjs's greeting is no test output
      const emulator = emulatorControl(), backend = await startEmulated({ precision: "fp32" });
      try {
        await body({ backend, cudnn: tf.backend() as unknown as CudnnBackend, emulator });
      } finally {
        backend.close();
        emulator.reset();
      }
    },
  });
}
