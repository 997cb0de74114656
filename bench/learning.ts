/**
 * Small trainings and searches on real CIFAR-10, ours and PyTorch's, for each of some seeds: whether both
 * learn alike. `deno task bench:learning`.
 *
 * Options: --what network,search --seeds 1,2,3 --threads (all cores), and to try it --images 10000
 * --test-images 10000 --epochs 3 of the network, --search-images 2000 of each half of a search's data.
 * Prints means, deviations and verdicts, and writes bench/results/learning_<date>.json.
 */

import { parseArgs } from "deno-std/cli/parse_args.js";
import { startBackend } from "../backends/mod.ts";
import { loadDataset } from "../datasets/mod.ts";
import {
  learnNetwork,
  learnSearch,
  type Learnt,
  type LearntSearch,
  type NetworkLearning,
  type SearchLearning,
} from "./learning_ours.ts";
import { rankPrimitives, type Spread, spreadOf, withinSpread } from "./learning_verdict.ts";
import { thisMachine } from "./peers/machine.ts";
import { torchVersion } from "./peers/torch_server.ts";
import { saveResult } from "./results.ts";

const SCRIPT = new URL("./peers/pytorch/learn.py", import.meta.url).pathname;

/** Where CIFAR-10 is kept, as by search. */
const CACHE = new URL("../.cache", import.meta.url).pathname;

/** Both sides' results, a pair for each seed. */
interface Sides<Result extends Learnt> {
  ours: Result[];
  peer: Result[];
}

const options = parseArgs(Deno.args, {
  string: ["what", "seeds", "threads", "images", "test-images", "epochs", "search-images"],
  default: {
    what: "network,search",
    seeds: "1,2,3",
    threads: String(navigator.hardwareConcurrency),
    images: "10000",
    "test-images": "10000",
    epochs: "3",
    "search-images": "2000",
  },
});
const seeds = options.seeds.split(",").map(Number), threads = Number(options.threads);

const network: Omit<NetworkLearning, "seed"> = {
  threads,
  layers: 8,
  channels: 8,
  epochs: Number(options.epochs),
  batch: 64,
  images: Number(options.images),
  testImages: Number(options["test-images"]),
  cutout: 16,
};
const search: Omit<SearchLearning, "seed"> = {
  threads,
  channels: 4,
  epochs: 4,
  alphaFromEpoch: 2,
  batch: 64,
  images: Number(options["search-images"]),
  stages: [
    { layers: 3, skipDropout: 0.1, drop: 3 },
    { layers: 4, skipDropout: 0.4, drop: 2 },
    { layers: 5, skipDropout: 0.7, drop: 2 },
  ],
};

/** @throws {Error} If the script fails; what it printed has gone to this program's errors. */
async function learnByTorch<Result>(what: string, config: object): Promise<Result> {
  const command = new Deno.Command("python3", {
    args: [SCRIPT, what, JSON.stringify(config)],
    env: { PYTHONDONTWRITEBYTECODE: "1" },
    stderr: "inherit",
  });
  const { success, stdout } = await command.output();
  if (!success) throw new Error(`Cannot compare with PyTorch: learn.py ${what} failed`);
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** Every seed, ours and the peer's in turns. */
async function learnBoth<Result extends Learnt, Config extends { seed: number }>(
  what: string,
  config: Omit<Config, "seed">,
  learn: (config: Config) => Promise<Result>,
): Promise<Sides<Result>> {
  const sides: Sides<Result> = { ours: [], peer: [] };
  for (const seed of seeds) {
    const seeded = { ...config, seed } as Config;
    sides.ours.push(await learn(seeded));
    sides.peer.push(await learnByTorch<Result>(what, seeded));
    const [ours, peer] = [sides.ours, sides.peer].map((side) => percent(side.at(-1)!.accuracy));
    console.error(`${what}, seed ${seed}: ours ${ours}, PyTorch ${peer}`);
  }
  return sides;
}

const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
const show = ({ mean, deviation }: Spread) => `${percent(mean)} ± ${percent(deviation)}`;

/** Means, deviations, and whether they agree; also printed. */
function verdict(what: string, { ours, peer }: Sides<Learnt>) {
  const [mine, theirs] = [ours, peer].map((side) => spreadOf(side.map(({ accuracy }) => accuracy)));
  const alike = withinSpread(mine, theirs, seeds.length);
  console.log(
    `${what}: accuracy of ours ${show(mine)}, of PyTorch ${
      show(theirs)
    } over ${seeds.length} seeds: ` +
      `${alike ? "within" : "NOT within"} the spread`,
  );
  return { ours: mine, peer: theirs, withinSpread: alike };
}

/** The primitives' order on each side, normal and reduction cells apart; also printed. */
function rankings({ ours, peer }: Sides<LearntSearch>) {
  return Object.fromEntries((["normal", "reduce"] as const).map((kind) => {
    const both = {
      ours: rankPrimitives(ours.map((result) => result[kind])),
      peer: rankPrimitives(peer.map((result) => result[kind])),
    };
    for (const [side, ranking] of Object.entries(both)) {
      const text = ranking.map(([name, weight]) => `${name} ${weight.toFixed(3)}`).join(", ");
      console.log(`${kind} cell, mean weights of ${side}: ${text}`);
    }
    return [kind, both];
  }));
}

async function main(): Promise<void> {
  const torch = await torchVersion(), what = options.what.split(",");
  const data = await loadDataset({ name: "cifar10", cacheDir: CACHE });
  await startBackend("cpu", { threads });
  const versions = { deno: Deno.version.deno, v8: Deno.version.v8, torch };
  const result: Record<string, unknown> = { machine: thisMachine(), versions, seeds };
  if (what.includes("network")) {
    const learn = (config: NetworkLearning) => learnNetwork(data, config);
    const sides = await learnBoth("network", network, learn);
    result.network = { config: network, ...sides, verdict: verdict("network", sides) };
  }
  if (what.includes("search")) {
    const learn = (config: SearchLearning) => learnSearch(data, config);
    const sides = await learnBoth("search", search, learn);
    result.search = {
      config: search,
      ...sides,
      verdict: verdict("search", sides),
      rankings: rankings(sides),
    };
  }
  console.log(`saved ${(await saveResult("learning", result)).pathname}`);
}

if (import.meta.main) {
  try {
    await main();
    Deno.exit(0);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    Deno.exit(1);
  }
}
