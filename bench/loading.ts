/**
 * Images a second of our loader beside torchvision's DataLoader, an epoch of each in turns, with as many
 * workers: ImageNet's training transform at 224 pixels on JPEGs of 500x375. `deno task bench:loading`.
 *
 * A figure per core is the images a second of processor time, of the workers and of whoever takes the
 * batches, which other programs on the machine change less than the wall clock.
 *
 * Options: --workers 1,2 --images 240 --rounds 5 --batch 32. Needs `pip install torchvision==0.29.1`.
 * Prints medians, and writes bench/results/loading_<date>.json.
 */

import { parseArgs } from "deno-std/cli/parse_args.js";
import { TextLineStream } from "deno-std/streams/text_line_stream.js";
import process from "node:process";
import { BatchSources, readImageFolder } from "../datasets/mod.ts";
import { makeImages } from "./loading_images.ts";
import { thisMachine } from "./peers/machine.ts";
import { saveResult } from "./results.ts";

const SCRIPT = new URL("./peers/pytorch/load_images.py", import.meta.url).pathname;
const FOLDER = new URL("../.cache/bench/loading", import.meta.url).pathname;

/** An epoch as measured. */
interface Epoch {
  images: number;
  seconds: number;
  cpu_seconds: number;
}

/** A side of the comparison. */
interface Side extends AsyncDisposable {
  epoch(): Promise<Epoch>;
}

const options = parseArgs(Deno.args, {
  string: ["workers", "images", "rounds", "batch"],
  default: { workers: "1,2", images: "240", rounds: "5", batch: "32" },
});
const images = Number(options.images), rounds = Number(options.rounds);
const batchSize = Number(options.batch);

/** Our loader. */
async function openOurs(workers: number): Promise<Side> {
  const data = await readImageFolder({ name: "imagenet", root: FOLDER });
  const sources = new BatchSources(data, { workers });
  const source = sources.open("train", { batchSize });
  let next = 0;
  return {
    async epoch() {
      const cpu = process.cpuUsage(), begun = performance.now();
      let images = 0;
      for await (const { size } of source.epoch(next++)) images += size;
      const seconds = (performance.now() - begun) / 1000, { user, system } = process.cpuUsage(cpu);
      return { images, seconds, cpu_seconds: (user + system) / 1e6 };
    },
    [Symbol.asyncDispose]() {
      sources[Symbol.dispose]();
      return Promise.resolve();
    },
  };
}

/** torchvision's, in a process of its own. */
async function openPeer(workers: number): Promise<Side & { versions: unknown }> {
  const child = new Deno.Command("python3", {
    args: [SCRIPT, `${FOLDER}/train`, `${workers}`, `${batchSize}`],
    env: { PYTHONDONTWRITEBYTECODE: "1" },
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const requests = child.stdin.getWriter();
  const replies = child.stdout.pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream() as TransformStream<string, string>).getReader();
  const reply = async () => {
    const { value, done } = await replies.read();
    if (done) throw new Error("Cannot compare with torchvision: load_images.py ended");
    return JSON.parse(value);
  };
  return {
    versions: await reply(),
    async epoch() {
      await requests.write(new TextEncoder().encode("epoch\n"));
      return await reply();
    },
    async [Symbol.asyncDispose]() {
      await requests.close();
      await replies.cancel();
      await child.status;
    },
  };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b), middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2;
}

/** Medians of a side's epochs. */
function rates(epochs: readonly Epoch[]) {
  return {
    images_per_second: median(epochs.map((it) => it.images / it.seconds)),
    images_per_core_second: median(epochs.map((it) => it.images / it.cpu_seconds)),
  };
}

/** Epochs of both sides in turns, the first of each not counted; also printed. */
async function compare(workers: number) {
  await using ours = await openOurs(workers);
  await using peer = await openPeer(workers);
  await ours.epoch();
  await peer.epoch();
  const epochs = { ours: [] as Epoch[], peer: [] as Epoch[] };
  for (let round = 0; round < rounds; round++) {
    epochs.ours.push(await ours.epoch());
    epochs.peer.push(await peer.epoch());
  }
  const [mine, theirs] = [rates(epochs.ours), rates(epochs.peer)];
  for (
    const [name, { images_per_second, images_per_core_second }] of [
      ["ours", mine],
      ["torchvision", theirs],
    ] as const
  ) {
    console.log(
      `${workers} workers, ${name}: ${images_per_second.toFixed(0)} images/s, ` +
        `${images_per_core_second.toFixed(0)} per second of a core`,
    );
  }
  return { workers, versions: peer.versions, ours: mine, peer: theirs, epochs };
}

async function main(): Promise<void> {
  await Deno.remove(FOLDER, { recursive: true }).catch(() => {}); // absent before the first run
  await makeImages(FOLDER, images);
  const results = [];
  for (const workers of options.workers.split(",").map(Number)) {
    results.push(await compare(workers));
  }
  const file = await saveResult("loading", {
    machine: thisMachine(),
    deno: Deno.version.deno,
    images,
    rounds,
    batch: batchSize,
    results,
  });
  console.log(`Written to ${file.pathname}`);
}

await main();
