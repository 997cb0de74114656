/** Tests of putting weights into networks: what is told about a file, what fits, and what is said if not. */

import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { CounterRandom } from "../../../backends/random.ts";
import { EvaluationNetwork, type NetworkOptions } from "../../../evaluate/network.ts";
import { describeWeights } from "../../../evaluate/weights/describe_weights.ts";
import { loadWeights, type WantedNetwork } from "../../../evaluate/weights/load_weights.ts";
import { WeightsError } from "../../../evaluate/weights/weights_error.ts";
import { DARTS_V2, GENOTYPES, PDARTS } from "../../../nn/genotypes.ts";
import { RunError } from "../../../nn/run_files.ts";
import type { HostTensor } from "../../../nn/safetensors.ts";
import { assertEquals, assertNotEquals, assertRejects, assertThrows } from "../../assert.ts";

await tf.setBackend("cpu");

const SMALL: NetworkOptions = {
  genotype: PDARTS,
  layers: 4,
  channels: 4,
  classes: 10,
  auxiliary: false,
  batchNorm: { epsilon: 1e-5 },
};
const WANTED: WantedNetwork = { ...SMALL, arch: "PDARTS" };

function networkOf(changes: Partial<NetworkOptions> = {}): EvaluationNetwork {
  return new EvaluationNetwork({ ...SMALL, ...changes }, new CounterRandom(1));
}

/** The weights of a network that is gone. */
async function weightsOf(changes: Partial<NetworkOptions> = {}): Promise<Map<string, HostTensor>> {
  const { parameters } = networkOf(changes);
  parameters.batchesTracked = 12;
  const dict = await parameters.stateDict();
  parameters.dispose();
  return dict;
}

/** Loads weights into a small network, and returns what the network then holds. */
async function loaded(
  dict: ReadonlyMap<string, HostTensor>,
  changes: Partial<NetworkOptions> = {},
): Promise<Map<string, HostTensor>> {
  const network = networkOf(changes);
  try {
    await loadWeights(network, dict, { path: "w.pt", wanted: WANTED });
    return await network.parameters.stateDict();
  } finally {
    network.parameters.dispose();
  }
}

/** The weights with one number added to all of them. */
function shifted(dict: ReadonlyMap<string, HostTensor>): Map<string, HostTensor> {
  const shift = ({ shape, data }: HostTensor): HostTensor => ({
    shape,
    data: data instanceof Float32Array ? data.map((value) => value + 1) : data,
  });
  return new Map(Array.from(dict, ([name, tensor]) => [name, shift(tensor)]));
}

for (const [name, genotype] of Object.entries(GENOTYPES)) {
  Deno.test(`describeWeights() knows a network of ${name}`, async () => {
    const dict = await weightsOf({ genotype, layers: 6, channels: 4, classes: 7, auxiliary: true });
    assertEquals(describeWeights(dict), {
      network: "cifar",
      layers: 6,
      channels: 4,
      classes: 7,
      auxiliary: true,
      genotypes: [name],
    });
  });
}

Deno.test("describeWeights() throws when the weights are no evaluation network's", () => {
  const tensor = { shape: [1], data: new Float32Array(1) };
  const message = "want stem, cells and classifier, and it begins with conv1.weight";
  assertThrows(() => describeWeights(new Map([["conv1.weight", tensor]])), WeightsError, message);
  const supernet = new Map([["stem.0.weight", tensor], ["cells.0.cell_ops.0.m_ops.0.1", tensor]]);
  assertThrows(() => describeWeights(supernet), WeightsError, "begins with stem.0.weight");
});

Deno.test("loadWeights() loads every weight and the count of batches", async () => {
  const dict = shifted(await weightsOf());
  assertEquals(await loaded(dict), dict);
});

Deno.test("loadWeights() leaves out an auxiliary head that the network lacks", async () => {
  const dict = shifted(await weightsOf({ auxiliary: true }));
  const main = [...dict].filter(([name]) => !name.startsWith("auxiliary_head."));
  assertNotEquals(main.length, dict.size);
  assertEquals([...await loaded(dict)], main);
});

Deno.test("loadWeights() keeps the network's own auxiliary head when the file has none", async () => {
  const dict = shifted(await weightsOf()), own = await weightsOf({ auxiliary: true });
  const result = await loaded(dict, { auxiliary: true });
  assertEquals([...result.keys()], [...own.keys()]);
  const head = "auxiliary_head.features.2.weight", main = "stem.0.weight";
  assertEquals(result.get(head), own.get(head));
  assertEquals(result.get(main), dict.get(main));
});

Deno.test("loadWeights() fills in counts of batches that are missing or differ", async () => {
  const dict = await weightsOf(), names = [...dict.keys()].filter((key) => key.endsWith("tracked"));
  dict.set(names[0], { shape: [], data: BigInt64Array.of(40n) });
  dict.delete(names[1]);
  const result = await loaded(dict);
  assertEquals(names.map((name) => result.get(name)!.data[0]), names.map(() => 40n));
  const none = new Map([...dict].filter(([name]) => !names.includes(name)));
  assertEquals((await loaded(none)).get(names[0])!.data, BigInt64Array.of(0n));
});

Deno.test("loadWeights() names the first weight that does not fit, and what the file is of", async () => {
  const title = "the network of PDARTS, 4 cells, 4 channels, 10 classes";
  const cases: [Partial<NetworkOptions>, string][] = [
    [
      { channels: 8, classes: 100 },
      `stem.0.weight is [24,3,3,3], and ${title} wants [12,3,3,3]; ` +
      "the file's network has 8 channels, 100 classes",
    ],
    [
      { layers: 3 },
      `cells.3.preprocess0.conv_1.weight is missing, and ${title} wants [8,32,1,1]; ` +
      "the file's network has 3 cells",
    ],
    [
      { layers: 6 },
      `cells.1.preprocess0.op.1.weight is [4,12,1,1], and ${title} wants [8,12,1,1]; ` +
      "the file's network has 6 cells",
    ],
    [
      { classes: 100 },
      `classifier.weight is [100,64], and ${title} wants [10,64]; ` +
      "the file's network has 100 classes",
    ],
    [
      { genotype: DARTS_V2 },
      `cells.0._ops.5.op.1.weight is missing, and ${title} wants [4,1,3,3]; ` +
      "the file's network has the operations of DARTS_V2",
    ],
    [
      { genotype: { ...PDARTS, normal: PDARTS.reduce } },
      `; the file's network has the operations of another genotype than PDARTS`,
    ],
  ];
  for (const [changes, message] of cases) {
    const dict = await weightsOf(changes);
    const error = await assertRejects(() => loaded(dict), RunError, "Cannot load w.pt: ");
    assertEquals(error.message.endsWith(message), true, error.message);
  }
});

Deno.test("loadWeights() changes nothing when a weight does not fit", async () => {
  const network = networkOf(), { parameters } = network, before = await parameters.stateDict();
  const dict = shifted(before);
  dict.set("classifier.bias", { shape: [10], data: new Int32Array(10) });
  const options = { path: "w.pt", wanted: WANTED };
  const message = "classifier.bias is not of floats";
  await assertRejects(() => loadWeights(network, dict, options), RunError, message);
  assertEquals(await parameters.stateDict(), before);
  parameters.dispose();
});
