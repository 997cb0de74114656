/** Tests of starting weights: what is taken, what is told of each key, and in how few words. */

import { compareWeights, initialKeysText, initialSummary } from "../../evaluate/initial_weights.ts";
import { RunError } from "../../nn/run_files.ts";
import type { HostTensor } from "../../nn/safetensors.ts";
import type { ExpectedTensor } from "../../nn/state_dict.ts";
import { assertEquals, assertThrows } from "../assert.ts";

function tensor(...shape: number[]): HostTensor {
  return { shape, data: new Float32Array(shape.reduce((size, side) => size * side, 1)) };
}

function expected(shapes: Record<string, number[]>): Map<string, ExpectedTensor> {
  return new Map(
    Object.entries(shapes).map(([name, shape]) => [name, { shape, dtype: "float32" }]),
  );
}

const NETWORK = expected({
  "stem.0.weight": [4, 3],
  "cells.0.a.weight": [2],
  "cells.1.a.weight": [2],
  "cells.2.a.weight": [2],
  "cells.4.a.weight": [2],
  "cells.5.a.weight": [3],
  "auxiliary_head.classifier.weight": [3, 2],
  "classifier.weight": [3, 2],
});

const FILE = new Map([
  ["stem.0.weight", tensor(4, 3)],
  ["cells.0.a.weight", tensor(2)],
  ["cells.1.a.weight", tensor(2)],
  ["cells.2.a.weight", tensor(2)],
  ["cells.4.a.weight", tensor(2)],
  ["cells.5.a.weight", tensor(2)],
  ["cells.6.a.weight", tensor(2)],
  ["cells.6.b.num_batches_tracked", tensor(1)],
  ["classifier.weight", tensor(3, 2)],
]);

Deno.test("compareWeights() tells what becomes of every key", () => {
  const { keys, tensors } = compareWeights(NETWORK, FILE, { path: "a", sameClasses: true });
  assertEquals(keys.map(({ name, outcome }) => [name, outcome]), [
    ["stem.0.weight", "copied"],
    ["cells.0.a.weight", "copied"],
    ["cells.1.a.weight", "copied"],
    ["cells.2.a.weight", "copied"],
    ["cells.4.a.weight", "copied"],
    ["cells.5.a.weight", "of another shape"],
    ["auxiliary_head.classifier.weight", "missing"],
    ["classifier.weight", "copied"],
    ["cells.6.a.weight", "unused"],
  ]);
  assertEquals(tensors.size, 6);
});

Deno.test("compareWeights() leaves out classifiers of other classes, even as many", () => {
  const { tensors } = compareWeights(NETWORK, FILE, { path: "a", sameClasses: false });
  assertEquals(tensors.has("classifier.weight"), false);
  assertEquals(tensors.size, 5);
});

Deno.test("compareWeights() refuses weights of which none fits", () => {
  const other = new Map([["features.0.weight", tensor(2)]]);
  assertThrows(
    () => compareWeights(NETWORK, other, { path: "a.pt", sameClasses: true }),
    RunError,
    "Cannot start from a.pt: no weight fits by name and shape; it begins with features.0.weight",
  );
});

Deno.test("initialSummary() joins cells, and initialKeysText() has each key with its sizes", () => {
  const initial = compareWeights(NETWORK, FILE, { path: "a.pt", sameClasses: false });
  assertEquals(initialSummary(initial).split("\n"), [
    "Starting from a.pt:",
    "  copied: 5 tensors of stem, cells 0-2, cell 4",
    "  of other classes: 1 tensors of classifier",
    "  of another shape: 1 tensors of cell 5",
    "  missing: 1 tensors of auxiliary_head",
    "  unused: 1 tensors of cell 6",
  ]);
  const lines = initialKeysText(initial).trim().split("\n");
  assertEquals(lines.length, 10);
  assertEquals(lines[1], "copied            stem.0.weight  [4,3], there [4,3]");
  assertEquals(lines[7], "missing           auxiliary_head.classifier.weight  [3,2]");
});
