/** Tests of ONNX models in ONNX Runtime. */

import { encodeOnnx } from "../../../evaluate/export/onnx.ts";
import { assertEquals } from "../../assert.ts";
import { permitted } from "../../permitted.ts";
import { checkResults, exportedNetwork, labelsOf, NETWORKS } from "./networks.ts";

const ignore = !permitted({ read: ["."], write: [".cache"], env: ["CI"], ffi: true });

for (const network of NETWORKS) {
  Deno.test({
    name: `encodeOnnx() gives our logits and names in ONNX Runtime when it writes ${network.name}`,
    ignore,
    async fn() {
      // Imported here, for it opens a native library.
      const { InferenceSession, Tensor } = await import("onnxruntime-node");
      const { graph, pixels, logits } = await exportedNetwork(network), { size } = network;
      for (const fold of [true, false]) {
        const session = await InferenceSession.create(encodeOnnx(graph(fold), {}));
        const result = await session.run({
          pixels: new Tensor("uint8", pixels, [3, size, size, 3]),
        });
        const [own, probabilities] = [result.logits, result.probabilities]
          .map(({ data }) => data as Float32Array);
        checkResults({ logits: own, probabilities }, logits, fold ? "folded" : "not folded");
        assertEquals(result.label.data as unknown, labelsOf(logits));
        await session.release();
      }
    },
  });
}
