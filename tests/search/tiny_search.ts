/**
 * The whole search program on a few made-up images: what tests start, kill and resume.
 *
 * The images of a class share a pattern, so that there is something to learn.
 */

import { startBackend } from "../../backends/mod.ts";
import { CounterRandom } from "../../backends/random.ts";
import type { ImageDataset, Split } from "../../datasets/mod.ts";
import { standardOutput } from "../../nn/progress.ts";
import { type MainProgram, runMain } from "../../nn/run_main.ts";
import { searchMain } from "../../search/search_main.ts";

const CLASSES = 10, IMAGE_BYTES = 32 * 32 * 3;

function madeUpSplit(count: number, random: CounterRandom): Split {
  const images = new Uint8Array(count * IMAGE_BYTES).map(() => random.integer(64));
  const labels = Uint8Array.from({ length: count }, () => random.integer(CLASSES));
  labels.forEach((label, index) => {
    const start = index * IMAGE_BYTES + label * 300;
    images.fill(200, start, start + 300);
  });
  return { images, labels, count };
}

function madeUpData(): ImageDataset {
  const random = new CounterRandom(1);
  return {
    name: "cifar10",
    classes: Array.from({ length: CLASSES }, (_, label) => `class ${label}`),
    mean: [0.5, 0.5, 0.5],
    std: [0.25, 0.25, 0.25],
    train: madeUpSplit(64, random),
    test: madeUpSplit(16, random),
  };
}

const program: MainProgram = {
  command: "tiny-search",
  run: "deno run",
  script: "tests/search/tiny_search.ts",
  folders: { read: ["/tmp"], write: ["/tmp"] },
};

await runMain(program, (args) =>
  searchMain(args, {
    program,
    output: standardOutput(),
    startBackend,
    loadData: () => Promise.resolve(madeUpData()),
  }));
