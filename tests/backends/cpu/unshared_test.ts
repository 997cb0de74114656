/** Tests of the kernels on a memory that is not shared, as a page without isolation has it. */

import * as tf from "@tensorflow/tfjs-core";
import { globalAveragePool } from "../../../backends/ops/global_average_pool.ts";
import { startOnKernels } from "../../../backends/cpu/backend.ts";
import { kernelBinary } from "../../../backends/cpu/compiler.ts";
import { hasRelaxedSimd } from "../../../backends/cpu/variants.ts";
import { assertEquals } from "../../assert.ts";
import { permitted } from "../../permitted.ts";

const PAGES = 256;

Deno.test({
  name: "startOnKernels() computes on kernels of a memory that no thread shares",
  ignore: !permitted({ read: ["."] }),
  fn: async () => {
    const variant = { relaxed: hasRelaxedSimd(), wide: false };
    const binary = await kernelBinary(variant, { pages: PAGES, shared: false });
    const memory = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES });
    const module = await WebAssembly.compile(binary);
    const backend = await startOnKernels({ kernels: { module, ...variant }, memory }, {
      threads: 1,
    });
    try {
      const images = tf.tensor4d([1, 2, 3, 4, 5, 6, 7, 8], [1, 2, 2, 2]);
      assertEquals(await globalAveragePool(images).array(), [[4, 5]]);
      assertEquals(
        await tf.add(images, images).data(),
        new Float32Array([2, 4, 6, 8, 10, 12, 14, 16]),
      );
    } finally {
      backend.close();
    }
  },
});
