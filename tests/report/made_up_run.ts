/**
 * Run folders as `deno task search` and `eval train` leave them, with figures made up: what tests of reports
 * read. The weights prefer the first primitives, more so with each epoch.
 */

import { allPrimitives } from "../../search/edge_weights.ts";
import { dropPrimitives } from "../../search/drop.ts";
import { PDARTS } from "../../nn/genotypes.ts";
import { RUN_FORMAT } from "../../nn/run_folder.ts";

/** How a run is made up. */
export interface MadeUpRun {
  /** Epochs of each stage, or of the training. */
  epochs?: number;
  note?: string;
  /** Added to each loss, so that runs differ. */
  shift?: number;
  /** Whether it is over, with a summary. */
  finished?: boolean;
}

const DROPS = [3, 2, 2];
const START = Date.parse("2026-11-24T12:00:00Z");

function lines(path: string, values: readonly object[]): void {
  Deno.writeTextFileSync(path, values.map((value) => JSON.stringify(value) + "\n").join(""));
}

function config(path: string, kind: string, { epochs, note }: { epochs: number; note: string }) {
  const stages = DROPS.map((drop) => ({ layers: 5, drop }));
  const numbers = kind === "search" ? { stages } : { genotype: PDARTS };
  const options = {
    config: { dataset: "cifar10", epochs, ...numbers },
    run: { note, backend: "cpu" },
  };
  const started = new Date(START).toISOString();
  const text = JSON.stringify({
    format: RUN_FORMAT,
    kind,
    options,
    backend: "cpu, 2 threads",
    started,
  });
  Deno.writeTextFileSync(`${path}/config.json`, text);
}

function timing(place: object, seconds: number) {
  const time = new Date(START + 1000 * seconds).toISOString();
  return { ...place, step: 8, time, seconds, imagesPerSecond: 90 + seconds % 7 };
}

/** Weights of 14 edges, of which the first is the largest: a share that grows with the epoch. */
function weightsOf(kept: readonly (readonly string[])[], share: number): number[][] {
  return kept.map((primitives) => {
    const powers = primitives.map((_, index) => Math.exp(-share * index));
    const sum = powers.reduce((a, b) => a + b);
    return powers.map((power) => power / sum);
  });
}

/** Makes the folder of a search. */
export function makeSearch(
  path: string,
  { epochs = 3, note = "", shift = 0, finished = true }: MadeUpRun = {},
): void {
  Deno.mkdirSync(path, { recursive: true });
  config(path, "search", { epochs, note });
  const log: object[] = [], alphas: object[] = [], times: object[] = [];
  let kept = allPrimitives();
  DROPS.forEach((drop, index) => {
    const stage = index + 1;
    log.push({ type: "stage", stage, epoch: 1, layers: 5 });
    let weights: number[][] = [];
    for (let epoch = 1; epoch <= epochs; epoch++) {
      const loss = shift + 2.3 - (stage + epoch / epochs) / 3, place = { stage, epoch };
      const figures = { loss, top1: 0.1 + 0.2 * epoch / epochs, top5: 0.5, samples: 512 };
      log.push({ type: "report", ...place, step: 8, weights: figures });
      log.push({ type: "epoch", ...place, learningRate: 0.025 / epoch, weights: figures });
      weights = weightsOf(kept, 0.2 * epoch / epochs);
      alphas.push({ ...place, normal: weights, reduce: weights });
      times.push(timing(place, 10 * (index * epochs + epoch)));
    }
    log.push({
      type: "validation",
      stage,
      epoch: epochs,
      loss: 2.1 + shift,
      top1: 0.25 + shift / 10,
    });
    kept = dropPrimitives({ weights, kept }, { drop, final: stage === DROPS.length });
    log.push({ type: "drop", stage, normal: kept, reduce: kept });
  });
  lines(`${path}/log.jsonl`, log);
  lines(`${path}/alphas.jsonl`, alphas);
  lines(`${path}/timing.jsonl`, times);
  if (!finished) return;
  const variant = {
    maxSkips: null,
    skips: 2,
    parameters: 3433798,
    multiplyAdds: 532e6,
    genotype: PDARTS,
  };
  Deno.writeTextFileSync(
    `${path}/genotypes.json`,
    JSON.stringify([variant, { ...variant, maxSkips: 1 }]),
  );
  const summary = { note, seconds: 90, network: { layers: 20, channels: 36 } };
  const chosen = { ...variant, maxSkips: 2 };
  Deno.writeTextFileSync(`${path}/summary.json`, JSON.stringify({ ...summary, chosen }));
}

/** Makes the folder of a training. */
export function makeTraining(
  path: string,
  { epochs = 3, note = "", shift = 0, finished = true }: MadeUpRun = {},
): void {
  Deno.mkdirSync(path, { recursive: true });
  config(path, "eval", { epochs, note });
  const log: object[] = [{ type: "network", parameters: 3433798 }], times: object[] = [];
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const figures = { loss: shift + 2 / epoch, top1: 1 - 1 / (1 + epoch), top5: 0.9, samples: 512 };
    log.push({ type: "report", epoch, phase: "train", step: 8, ...figures });
    log.push({ type: "epoch", epoch, learningRate: 0.025 / epoch, ...figures });
    log.push({ type: "test", epoch, ...figures });
    times.push(timing({ epoch, phase: "train" }, 10 * epoch));
  }
  lines(`${path}/log.jsonl`, log);
  lines(`${path}/timing.jsonl`, times);
  if (!finished) return;
  const network = { layers: 20, channels: 36, parameters: 3433798, multiplyAdds: 532e6 };
  Deno.writeTextFileSync(`${path}/summary.json`, JSON.stringify({ note, seconds: 30, network }));
}
