/** Tests of kernels over several things a launch: their text, and lists of every length. */

import * as tf from "@tensorflow/tfjs-core";
import { PACK, repeated } from "../../../backends/cudnn/kernels/packs.ts";
import { type Branch, branches } from "../../../backends/ops/branches.ts";
import { assertEquals } from "../../assert.ts";
import { Samples } from "../samples.ts";
import { cudnnTest } from "./cudnn_test_case.ts";

const SOURCE = `void scale(
    // each
    float* x#, int size#,
    // end
) {
  // each
  use(x#);
  // end
}
`;

Deno.test("repeated() repeats what is for each thing, with its number", () => {
  const numbers = Array.from({ length: PACK }, (_, number) => number);
  const parameters = numbers.map((number) => `    float* x${number}, int size${number},\n`).join(
    "",
  );
  const uses = numbers.map((number) => `  use(x${number});\n`).join("");
  assertEquals(repeated(SOURCE), `void scale(\n${parameters.slice(0, -2)}) {\n${uses}}\n`);
});

cudnnTest("branches() gives a branch the same bits among any number of others", async () => {
  const samples = new Samples("packs");
  const tensor = (shape: [number, number, number, number]) =>
    tf.tensor4d(Float32Array.from(samples.uniform(shape).values), shape);
  const x = tensor([2, 5, 4, 3]);
  const all = Array.from({ length: 2 * PACK + 1 }, (_, index): Branch => ({
    kind: "separable",
    depthwise: tensor([3, 3, 3, 1]),
    pointwise: tensor([1, 1, 3, 1 + index % 5]),
    stride: 1,
    dilation: 1,
  }));
  const alone = await Promise.all(all.map((branch) => results(x, [branch])));
  for (const count of [PACK - 1, PACK, PACK + 1, 2 * PACK + 1]) {
    const together = await results(x, all.slice(0, count));
    assertEquals(together, alone.slice(0, count).flat(), `${count} branches`);
  }
});

/** Affine pairs, and gradients of filters, of each branch. */
async function results(x: tf.Tensor4D, list: Branch[]): Promise<number[][][]> {
  const filters = list.flatMap((branch) =>
    branch.kind === "separable" ? [branch.depthwise, branch.pointwise] : []
  );
  const tensors = tf.tidy(() => {
    const outputs = branches(x, list);
    const loss = () =>
      tf.addN(branches(x, list).map(({ y, affine }) => tf.add(tf.sum(y), tf.sum(affine!))));
    const gradients = tf.grads(() => loss() as tf.Scalar)(filters);
    return outputs.map(({ affine }, index) => [
      affine!,
      gradients[2 * index],
      gradients[2 * index + 1],
    ]);
  });
  const values = await Promise.all(
    tensors.map((own) => Promise.all(own.map(async (tensor) => [...await tensor.data()]))),
  );
  tf.dispose(tensors);
  return values;
}
