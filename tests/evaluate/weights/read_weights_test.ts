/** Tests of reading weights: every kind of file that PyTorch has written, safetensors and run folders. */

import { readWeights, readWeightsFile } from "../../../evaluate/weights/read_weights.ts";
import { RunError } from "../../../nn/run_files.ts";
import { encodeSafetensors, type HostTensor } from "../../../nn/safetensors.ts";
import { assertEquals, assertRejects } from "../../assert.ts";
import { permitted } from "../../permitted.ts";
import { scratchPermitted, withScratch } from "../../scratch.ts";

const FOLDER = "tests/fixtures/pytorch/weights";
const ignore = !permitted({ read: ["."] });

/** What `state_dict()` of bench/peers/pytorch/make_weight_files.py makes. */
const EXPECTED: [string, HostTensor][] = [
  ["stem.0.weight", {
    shape: [2, 3, 2, 2],
    data: Float32Array.from({ length: 24 }, (_, i) => (i - 12) / 4),
  }],
  ["stem.1.num_batches_tracked", { shape: [], data: BigInt64Array.of(7n) }],
  ["classifier.bias", { shape: [3], data: Float32Array.of(0.5, -1.5, 2) }],
];

for (
  const name of [
    "zip.pt",
    "legacy.pt",
    "float16.pt",
    "bfloat16.pt",
    "float64.pt",
    "parameters.pt",
    "wrapped.pth.tar",
    "wrapped_legacy.pth.tar",
    "no_checksums.pt",
    "big_endian.pt",
  ]
) {
  Deno.test({
    name: `readWeights() reads PyTorch's ${name}`,
    ignore,
    fn: async () => assertEquals([...await readWeights(`${FOLDER}/${name}`)], EXPECTED),
  });
}

Deno.test({
  name: "readWeights() reads what torch 0.3 saved under Python 2",
  ignore,
  fn: async () => {
    const early = EXPECTED.filter(([name]) => !name.includes("num_batches"));
    assertEquals([...await readWeights(`${FOLDER}/python2.pth.tar`)], early);
  },
});

Deno.test({
  name: "readWeights() reads integers of every width",
  ignore,
  fn: async () => {
    const tensors = await readWeights(`${FOLDER}/integers.pt`);
    const values = [...tensors].map(([name, { data }]) => [name, Array.from(data, Number)]);
    assertEquals(values, [
      ["torch.int32", [0, 1, -1]],
      ["torch.int16", [0, 1, -1]],
      ["torch.int8", [0, 1, -1]],
      ["torch.uint8", [0, 1, 1]],
      ["torch.bool", [0, 1, 1]],
      ["torch.int64", [0, 1, -1]],
    ]);
  },
});

for (const name of ["views.pt", "views_legacy.pt"]) {
  Deno.test({
    name: `readWeights() reads tensors of any strides that share storages, in ${name}`,
    ignore,
    fn: async () => {
      const tensors = await readWeights(`${FOLDER}/${name}`);
      const whole = { shape: [3, 4], data: Float32Array.from({ length: 12 }, (_, i) => i) };
      assertEquals([...tensors], [
        ["whole", whole],
        ["transposed", {
          shape: [4, 3],
          data: Float32Array.of(0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11),
        }],
        ["row", { shape: [4], data: Float32Array.of(4, 5, 6, 7) }],
        ["every_second", { shape: [2, 2], data: Float32Array.of(1, 3, 9, 11) }],
        ["again", whole],
        ["empty", { shape: [0, 4], data: new Float32Array(0) }],
        ["one", { shape: [], data: Float32Array.of(11) }],
      ]);
    },
  });
}

Deno.test({
  name: "readWeightsFile() reads a safetensors file under any name, and a run folder's best",
  ignore: ignore || !scratchPermitted(),
  fn: () =>
    withScratch(async (folder) => {
      const bytes = encodeSafetensors(new Map(EXPECTED), { genotype: "{}" });
      await Deno.writeFile(`${folder}/best.safetensors`, bytes);
      await Deno.writeFile(`${folder}/weights.pt`, bytes);
      const run = await readWeightsFile(folder),
        file = await readWeightsFile(`${folder}/weights.pt`);
      assertEquals(run.path, `${folder}/best.safetensors`);
      assertEquals(new Map(run.weights), new Map(EXPECTED));
      assertEquals(file, { ...run, path: `${folder}/weights.pt` });
      assertEquals(run.metadata, { genotype: "{}" });
    }),
});

Deno.test({
  name: "readWeights() throws one line when there is nothing to read",
  ignore: ignore || !scratchPermitted(),
  fn: () =>
    withScratch(async (folder) => {
      const files: [string, string | undefined, string][] = [
        ["missing.pt", undefined, "it does not exist"],
        ["empty.pt", "", "it is empty"],
        ["text.pt", "epoch 1", "it is neither a file of PyTorch's nor safetensors"],
        ["header.safetensors", "\x09\0\0\0\0\0\0\0{", "do not hold the header"],
      ];
      for (const [name, content, reason] of files) {
        if (content !== undefined) await Deno.writeTextFile(`${folder}/${name}`, content);
        const path = `${folder}/${name}`;
        const { message } = await assertRejects(() => readWeights(path), RunError, reason);
        assertEquals(message.startsWith(`Cannot load ${path}: `), true, message);
      }
      await assertRejects(() => readWeights(folder), RunError, "holds no best.safetensors");
    }),
});
