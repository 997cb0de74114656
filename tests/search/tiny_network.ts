/** A supernet small enough for tfjs's plain backend, and batches for it. */

import { CounterRandom } from "../../backends/random.ts";
import { EDGES, type Primitive } from "../../nn/primitives.ts";
import { searchConfig } from "../../search/config.ts";
import { type Batch, type StageSettings, stageSettings } from "../../search/stage_trainer.ts";

/** Three primitives per edge, rotating, so that all eight, and shared pools, occur. */
export function keptThree(offset: number): Primitive[][] {
  const lists: Primitive[][] = [
    ["none", "max_pool_3x3", "skip_connect"],
    ["skip_connect", "sep_conv_3x3", "dil_conv_5x5"],
    ["max_pool_3x3", "avg_pool_3x3", "dil_conv_3x3"],
    ["avg_pool_3x3", "skip_connect", "sep_conv_5x5"],
  ];
  return EDGES.map((_, edge) => lists[(edge + offset) % lists.length]);
}

/** Stage 1 of three cells with two channels, three primitives an edge, five classes. */
export function tinySettings(changes: Partial<StageSettings> = {}): StageSettings {
  const config = searchConfig("authors", { epochs: 4, alphaFromEpoch: 2, seed: 5 });
  const settings = stageSettings(config, {
    stage: 1,
    classes: 5,
    normal: keptThree(0),
    reduce: keptThree(1),
  });
  return { ...settings, layers: 3, channels: 2, ...changes };
}

/** A batch of noise, 8x8 by default, with a bright patch that tells its class. */
export function tinyBatch(seed: number, size = 4, side = 8): Batch {
  const random = new CounterRandom(seed);
  const labels = Int32Array.from({ length: size }, () => random.integer(5));
  const images = Float32Array.from({ length: size * side * side * 3 }, () => random.normal());
  labels.forEach((label, index) => {
    for (let pixel = 0; pixel < 12; pixel++) {
      images[(index * side * side + label * 12 + pixel) * 3] += 4;
    }
  });
  return { images, labels, size };
}
