/** Tests of the committed sample of real images. */

import { IMAGE_VALUES } from "../../datasets/augmentation.ts";
import { sha256Of } from "../../datasets/digest.ts";
import { assertEquals } from "../assert.ts";
import { loadSample } from "./sample.ts";

Deno.test("loadSample() holds the first images of CIFAR-10", () => {
  const { train, test, classes } = loadSample();
  assertEquals([train.count, test.count], [384, 96]);
  assertEquals([train.images.length, test.images.length], [384 * IMAGE_VALUES, 96 * IMAGE_VALUES]);
  assertEquals(Array.from(train.labels.slice(0, 5), (label) => classes[label]), [
    "frog",
    "truck",
    "truck",
    "deer",
    "automobile",
  ]);
  assertEquals(Array.from(test.labels.slice(0, 5), (label) => classes[label]), [
    "cat",
    "ship",
    "ship",
    "airplane",
    "frog",
  ]);
  assertEquals(
    sha256Of(train.images),
    "57c0641c414339267c02dbf945bc653b15732062c66d9cd673224b7200ade2ab",
  );
  assertEquals(
    sha256Of(test.images),
    "4dcd972afeb20a3633f046d52a17129ede6aea63052e1a3355ccbb4cf4ea8eb8",
  );
});
