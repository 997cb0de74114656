/** Tests of the counts against published figures and an independent PyTorch statement. */

import { assertEquals, assertThrows } from "../assert.ts";
import {
  countCifarNetwork,
  countImageNetNetwork,
  countSupernet,
  type NetworkCounts,
} from "../../nn/count.ts";
import { DARTS_V2, GENOTYPES, PDARTS } from "../../nn/genotypes.ts";
import { EDGES, type Primitive, PRIMITIVES } from "../../nn/primitives.ts";

/**
 * Parameters, multiply-adds and operations without the auxiliary head, counted by forward
 * hooks on PyTorch modules written from the description of the networks (torch 2.13.0).
 */
const PYTORCH: Record<string, { cifar: number[]; imageNet: number[] }> = {
  NASNet: {
    cifar: [3830950, 603452448, 624234528],
    imageNet: [5564320, 604031616, 620147520],
  },
  AmoebaNet: {
    cifar: [3145078, 488931552, 506294496],
    imageNet: [4627360, 526746624, 540557568],
  },
  DARTS_V1: {
    cifar: [3169414, 500987520, 518940288],
    imageNet: [4510432, 505864704, 519750912],
  },
  DARTS_V2: {
    cifar: [3349342, 528359040, 547473024],
    imageNet: [4718752, 529911552, 544588032],
  },
  PDARTS: {
    cifar: [3433798, 532174464, 550790784],
    imageNet: [4944352, 542819328, 557382912],
  },
};

function figures({ parameters, multiplyAdds, operations }: NetworkCounts): number[] {
  return [parameters, multiplyAdds, operations];
}

function everywhere(kept: readonly Primitive[]): Primitive[][] {
  return EDGES.map(() => [...kept]);
}

Deno.test("countCifarNetwork() and countImageNetNetwork() agree with PyTorch's modules", () => {
  assertEquals(Object.keys(PYTORCH), Object.keys(GENOTYPES));
  for (const [name, { cifar, imageNet }] of Object.entries(PYTORCH)) {
    assertEquals(figures(countCifarNetwork(GENOTYPES[name])), cifar, name);
    assertEquals(figures(countImageNetNetwork(GENOTYPES[name])), imageNet, name);
  }
});

Deno.test("countCifarNetwork() gives the published parameters", () => {
  assertEquals(countCifarNetwork(PDARTS).parameters, 3_433_798);
  assertEquals(countCifarNetwork(DARTS_V2).parameters, 3_349_342);
});

Deno.test("countImageNetNetwork() gives P-DARTS's published 4.9 M and 557 M", () => {
  const { parameters, operations } = countImageNetNetwork(PDARTS);
  assertEquals([parameters / 1e6, operations / 1e6].map(Math.floor), [4, 557]);
  assertEquals((parameters / 1e6).toFixed(1), "4.9");
});

Deno.test("countCifarNetwork() grows by the classifier alone when there are 100 classes", () => {
  const more = countCifarNetwork(PDARTS, { classes: 100 }).parameters;
  assertEquals(more - countCifarNetwork(PDARTS).parameters, 90 * (16 * 36 + 1));
});

Deno.test("countCifarNetwork() adds the auxiliary head when asked", () => {
  const without = countCifarNetwork(PDARTS);
  const { parts, parameters } = countCifarNetwork(PDARTS, { auxiliary: true });
  const head = parts[parts.length - 1];
  const weights = 576 * 128 + 2 * 128 + 4 * 128 * 768 + 2 * 768 + 769 * 10;
  assertEquals(parts.slice(0, -1), without.parts);
  assertEquals(head.name, "auxiliary_head");
  assertEquals(head.parameters, weights);
  assertEquals(parameters, without.parameters + weights);
  assertEquals(head.multiplyAdds, 4 * 576 * 128 + 4 * 128 * 768 + 768 * 10);
});

Deno.test("countImageNetNetwork() counts an auxiliary head without its second BN", () => {
  const { parts } = countImageNetNetwork(PDARTS, { auxiliary: true });
  assertEquals(
    parts[parts.length - 1].parameters,
    768 * 128 + 2 * 128 + 4 * 128 * 768 + 769 * 1000,
  );
});

Deno.test("countCifarNetwork() lists the parts in order with their outputs", () => {
  const { parts } = countCifarNetwork(PDARTS);
  assertEquals(parts.map(({ name }) => name), [
    "stem",
    ...Array.from({ length: 20 }, (_, index) => `cells.${index}`),
    "classifier",
  ]);
  assertEquals(
    parts.flatMap(({ name, kind }) => kind === "reduce" ? [name] : []),
    ["cells.6", "cells.13"],
  );
  assertEquals(parts[6].output, { height: 32, width: 32, channels: 144 });
  assertEquals(parts[7].output, { height: 16, width: 16, channels: 288 });
  assertEquals(parts[14].output, { height: 8, width: 8, channels: 576 });
});

Deno.test("countImageNetNetwork() divides the size by eight before the cells", () => {
  const { parts } = countImageNetNetwork(PDARTS);
  assertEquals(parts.slice(0, 2).map(({ name, output }) => [name, output.height]), [
    ["stem0", 56],
    ["stem1", 28],
  ]);
  assertEquals(parts[parts.length - 2].output, { height: 7, width: 7, channels: 768 });
});

Deno.test("NetworkCounts's totals are the sums over the parts", () => {
  const network = countImageNetNetwork(PDARTS, { auxiliary: true });
  for (const key of ["parameters", "multiplyAdds", "operations"] as const) {
    assertEquals(network[key], network.parts.reduce((sum, part) => sum + part[key], 0));
  }
});

Deno.test("countSupernet() gives 1,275,834 parameters in stage 1 at 16 channels", () => {
  const kept = everywhere(PRIMITIVES);
  const options = { layers: 5, channels: 16, classes: 10, keptNormal: kept, keptReduce: kept };
  const { parameters, parts } = countSupernet(options);
  assertEquals(parameters, 1_275_834);
  assertEquals(parts.map(({ kind }) => kind), [
    "stem",
    "normal",
    "reduce",
    "normal",
    "reduce",
    "normal",
    "classifier",
  ]);
});

Deno.test("countSupernet() counts each kind of cell by its own kept primitives", () => {
  const options = { layers: 2, channels: 2, classes: 10 };
  const none = everywhere(["none"]);
  const skips = everywhere(["skip_connect"]);
  const base = countSupernet({ ...options, keptNormal: none, keptReduce: none });
  const normal = countSupernet({ ...options, keptNormal: skips, keptReduce: none });
  const reduce = countSupernet({ ...options, keptNormal: none, keptReduce: skips });
  // Both cells of a two-cell network reduce: 2 div 3 = 0 and 4 div 3 = 1. Eight edges of each
  // have stride 2, where a skip is a FactorizedReduce of 4 x 4 and 8 x 8 weights.
  assertEquals(normal.parameters - base.parameters, 0);
  assertEquals(reduce.parameters - base.parameters, 8 * (4 * 4 + 8 * 8));
});

Deno.test("countSupernet() throws a RangeError when there are not 14 edges", () => {
  const kept = everywhere(["none"]);
  const options = { layers: 5, channels: 16, classes: 10, keptNormal: kept };
  assertThrows(
    () => countSupernet({ ...options, keptReduce: kept.slice(1) }),
    RangeError,
    "Cannot count a supernet: got 13 edges, not 14",
  );
});

Deno.test("countCifarNetwork() throws a RangeError when an option is out of range", () => {
  const cases = [{ layers: 0 }, { classes: 1.5 }, { imageSize: NaN }, { channels: 7 }];
  for (const options of cases) {
    assertThrows(
      () => countCifarNetwork(PDARTS, options),
      RangeError,
      "Cannot count a network: got",
    );
  }
  assertThrows(
    () => countCifarNetwork(PDARTS, { imageSize: 28, auxiliary: true }),
    RangeError,
    "got 7x7 pixels, which do not pool to 2x2",
  );
});
