/** Tests of ONNX models in ONNX Runtime. */

import { InferenceSession, Tensor } from "onnxruntime-node";
import { encodeOnnx } from "../../../evaluate/export/onnx.ts";
import { assertEquals } from "../../assert.ts";
import { permitted } from "../../permitted.ts";
import { checkResults, exportedNetwork, NETWORKS } from "./networks.ts";

const ignore = !permitted({ read: ["."], write: [".cache"], env: ["CI"], ffi: true });

for (const name of NETWORKS) {
  Deno.test({
    name: `encodeOnnx() gives our logits and names in ONNX Runtime when it writes ${name}`,
    ignore,
    async fn() {
      const { graph, pixels, logits } = await exportedNetwork(name);
      for (const fold of [true, false]) {
        const description = graph(fold), { classes } = description;
        const session = await InferenceSession.create(encodeOnnx(description, {}));
        const result = await session.run({ pixels: new Tensor("uint8", pixels, [3, 32, 32, 3]) });
        const [own, probabilities] = [result.logits, result.probabilities]
          .map(({ data }) => data as Float32Array);
        checkResults({ logits: own, probabilities }, logits, fold ? "folded" : "not folded");
        const best = [0, 1, 2].map((image) => {
          const row = logits.slice(image * classes.length, (image + 1) * classes.length);
          return classes[row.indexOf(Math.max(...row))];
        });
        assertEquals(result.label.data as unknown, best);
        await session.release();
      }
    },
  });
}
