/** Tests of networks made of a file of weights alone. */

import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { loadModel, readModel } from "../../evaluate/trained_network.ts";
import { PDARTS } from "../../nn/genotypes.ts";
import { assertEquals } from "../assert.ts";
import { floats, readFixture } from "../parity/fixtures.ts";
import { checkLogits } from "../parity/network_checks.ts";
import { imagesOf } from "../parity/network_fixtures.ts";
import { permitted } from "../permitted.ts";

Deno.test({
  name: "loadModel() gives PyTorch's logits of an ImageNet checkpoint as the authors write it",
  ignore: !permitted({ read: ["."] }),
  fn: async () => {
    await tf.setBackend("cpu");
    const path = "tests/fixtures/pytorch/imagenet/authors.pth.tar";
    const model = await readModel(path, undefined);
    const { network, arch, genotype, layers, channels, classes, auxiliary } = model;
    assertEquals({ network, arch, genotype, layers, channels, classes, auxiliary }, {
      network: "imagenet",
      arch: "PDARTS",
      genotype: PDARTS,
      layers: 3,
      channels: 4,
      classes: 4,
      auxiliary: false,
    });
    const made = await loadModel(model);
    const expected = await readFixture("imagenet/PDARTS_expected");
    const x = tf.tensor4d(imagesOf(expected.get("pixels")!, 2), [2, 64, 64, 3]);
    await checkLogits(made.forward(x).logits, floats(expected, "logits").data, "logits");
    x.dispose();
    made.parameters.dispose();
  },
});
