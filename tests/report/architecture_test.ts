import { edgeCharts, shareRange, stageGenotypes, weightsOf } from "../../report/architecture.ts";
import { readRun } from "../../report/read_run.ts";
import { assert, assertAlmostEquals, assertEquals } from "../assert.ts";
import { scratchPermitted, withScratch } from "../scratch.ts";
import { makeSearch } from "./made_up_run.ts";

const ignore = !scratchPermitted();

Deno.test({
  name: "edgeCharts() shows a primitive until it is dropped, as its share of an equal weight",
  ignore,
  fn: () =>
    withScratch((folder) => {
      makeSearch(folder, { epochs: 2 });
      const run = readRun(folder), weights = weightsOf(run);
      const [chart] = edgeCharts(run, weights, { kind: "normal", id: "a" });
      const [axis, none, ...others] = chart.columns;
      const last = others.at(-1)!;
      assertEquals(axis, [1, 2, 2.001, 3, 4, 4.001, 5, 6]);
      assertAlmostEquals(none[0]!, 8 * weights[0].normal.weights[0][0], 1e-5);
      assertEquals(last.map((value) => value === null), axis.map((x) => x! > 2));
      const [low, high] = shareRange(weights);
      assert(low < 1 && high > 1 && none.every((value) => value === null || value <= high + 1e-5));
      return Promise.resolve();
    }),
});

Deno.test({
  name: "weightsOf() leaves out weights that do not fit their stage's primitives",
  ignore,
  fn: () =>
    withScratch((folder) => {
      makeSearch(folder, { epochs: 2 });
      const run = readRun(folder);
      const log = run.log.filter(({ type, stage }) => !(type === "drop" && stage === 1));
      const alphas = [...run.alphas, { stage: 1, epoch: 1, normal: [[1]], reduce: 3 }, {}];
      assertEquals(weightsOf({ log, alphas }).map(({ stage }) => stage), [1, 1, 3, 3]);
      return Promise.resolve();
    }),
});

Deno.test({
  name: "stageGenotypes() derives a genotype from the last weights of each stage",
  ignore,
  fn: () =>
    withScratch((folder) => {
      makeSearch(folder, { epochs: 2 });
      const run = readRun(folder), drop = run.log.findLastIndex(({ type }) => type === "drop");
      const going = { ...run, log: run.log.toSpliced(drop, 1) };
      const stages = stageGenotypes(going, weightsOf(going));
      assertEquals(stages.map(({ title }) => title), ["Stage 1", "Stage 2", "Stage 3, epoch 2"]);
      // The largest weight that is not that of `none`.
      assertEquals(stages[0].genotype.normal[0], ["max_pool_3x3", 0]);
      return Promise.resolve();
    }),
});
