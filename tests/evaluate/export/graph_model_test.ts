/** Tests of GraphModels in plain TensorFlow.js. */

import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { loadGraphModel } from "@tensorflow/tfjs-converter";
import { encodeGraphModel } from "../../../evaluate/export/graph_model.ts";
import { assertEquals } from "../../assert.ts";
import { permitted } from "../../permitted.ts";
import { checkResults, exportedNetwork, NETWORKS } from "./networks.ts";

const ignore = !permitted({ read: ["."], write: [".cache"], env: ["CI"] });

for (const network of NETWORKS) {
  Deno.test({
    name: `encodeGraphModel() gives our logits in plain tfjs when it writes ${network.name}`,
    ignore,
    async fn() {
      const { graph, pixels, logits } = await exportedNetwork(network), { size } = network;
      for (const fold of [true, false]) {
        const description = graph(fold);
        const files = encodeGraphModel(description, {});
        const fetchFunc = (url: URL | RequestInfo) =>
          Promise.resolve(new Response(files.get(String(url).replace("models:/", ""))));
        const model = await loadGraphModel(tf.io.http("models:/model.json", { fetchFunc }));
        const x = tf.tensor4d(pixels, [3, size, size, 3], "int32");
        const results = model.execute(x, ["logits", "probabilities"]) as tf.Tensor[];
        const [own, probabilities] = await Promise.all(results.map((result) => result.data()));
        checkResults({ logits: own, probabilities }, logits, fold ? "folded" : "not folded");
        assertEquals((model.metadata as { classes: string[] }).classes, [...description.classes]);
        tf.dispose([x, results]);
        model.dispose();
      }
    },
  });
}
