/**
 * Learns at a small scale on real CIFAR-10 by the library, as bench/peers/pytorch/learn.py does by PyTorch,
 * which takes the same configs as JSON. Sources of schedules and constants: the authors' command.
 */

import { BatchSources } from "../datasets/batch_sources.ts";
import type { ImageDataset } from "../datasets/types.ts";
import { BatchLoader } from "../datasets/loader.ts";
import { NetworkTrainer } from "../evaluate/network_trainer.ts";
import { BATCH_NORM } from "../nn/batch_norm.ts";
import { PDARTS } from "../nn/genotypes.ts";
import { searchConfig } from "../search/config.ts";
import { dropPrimitives } from "../search/drop.ts";
import { allPrimitives, type EdgeWeights } from "../search/edge_weights.ts";
import { stageLoaders } from "../search/search_data.ts";
import { stageSettings, StageTrainer } from "../search/stage_trainer.ts";

/** A training of PDARTS's network. */
export interface NetworkLearning {
  seed: number;
  threads: number;
  layers: number;
  channels: number;
  epochs: number;
  batch: number;
  /** Training images, the first. */
  images: number;
  /** Test images, the first. */
  testImages: number;
  /** Side of the square cut out in pixels. */
  cutout: number;
}

/** A progressive search. */
export interface SearchLearning {
  seed: number;
  threads: number;
  channels: number;
  /** Per stage. */
  epochs: number;
  /** First epoch that trains alphas. */
  alphaFromEpoch: number;
  batch: number;
  /** Images of each half of the training set, the first. */
  images: number;
  stages: { layers: number; skipDropout: number; drop: number }[];
}

/** What was learnt. */
export interface Learnt {
  /** 0..1, of the test set, or of a search's last validation. */
  accuracy: number;
  /** Mean, in nats. */
  loss: number;
}

/** What a search learnt: also the last stage's edges. */
export interface LearntSearch extends Learnt {
  normal: EdgeWeights;
  reduce: EdgeWeights;
}

/** Trains PDARTS on the current backend, and tests it. */
export async function learnNetwork(data: ImageDataset, config: NetworkLearning): Promise<Learnt> {
  const { seed, layers, channels, epochs, batch, images, testImages, cutout } = config;
  const { learningRate, minimumLearningRate, momentum, weightDecay, clip } = searchConfig().weights;
  const trainer = new NetworkTrainer({
    seed,
    genotype: PDARTS,
    layers,
    channels,
    classes: data.classes.length,
    epochs,
    auxiliary: { enabled: true, weight: 0.4 },
    dropPath: 0.3,
    optimizer: { learningRate, minimumLearningRate, momentum, weightDecay, clip },
    batchNorm: BATCH_NORM,
    labelSmoothing: 0,
  });
  const common = { statistics: data, batchSize: batch, seed };
  const first = { first: 0, end: images };
  const train = new BatchLoader({ ...common, split: data.train, indices: first, cutout });
  const test = new BatchLoader({
    ...common,
    split: data.test,
    indices: { first: 0, end: testImages },
    shuffle: false,
    augment: false,
  });
  for (let epoch = 0; epoch < epochs; epoch++) {
    trainer.beginEpoch(epoch);
    for (const batch of train.epoch(epoch)) trainer.trainStep(batch);
  }
  for (const batch of test.epoch(0)) trainer.evaluate(batch);
  const { top1, loss } = await trainer.report("evaluation");
  trainer.dispose();
  return { accuracy: top1, loss };
}

/** Runs the stages of a search on the current backend. */
export async function learnSearch(
  data: ImageDataset,
  learning: SearchLearning,
): Promise<LearntSearch> {
  const { seed, channels, epochs, alphaFromEpoch, batch, images, stages } = learning;
  const config = searchConfig("authors", {
    seed,
    channels,
    epochs,
    alphaFromEpoch,
    batch,
    validationEpochs: 1,
    trainImages: images,
    layers: stages.map(({ layers }) => layers),
    skipDropout: stages.map(({ skipDropout }) => skipDropout),
    drop: stages.map(({ drop }) => drop),
  });
  let kept = { normal: allPrimitives(), reduce: allPrimitives() };
  for (let stage = 0;; stage++) {
    const settings = stageSettings(config, { stage, classes: data.classes.length, ...kept });
    const trainer = new StageTrainer(settings);
    const loaders = stageLoaders(new BatchSources(data), config, stage),
      alphaSteps = loaders.alphas.cycle();
    for (let epoch = 0; epoch < epochs; epoch++) {
      trainer.beginEpoch(epoch);
      for await (const batch of loaders.weights.epoch(epoch)) {
        if (epoch >= alphaFromEpoch) trainer.alphaStep(await alphaSteps.next());
        trainer.weightStep(batch);
      }
    }
    for await (const batch of loaders.validation.epoch(epochs - 1)) trainer.evaluate(batch);
    const { top1, loss } = await trainer.report("evaluation");
    const weights = await trainer.alphas();
    trainer.dispose();
    const normal = { weights: weights.normal, kept: kept.normal };
    const reduce = { weights: weights.reduce, kept: kept.reduce };
    if (stage === stages.length - 1) return { accuracy: top1, loss, normal, reduce };
    const options = { drop: stages[stage].drop, final: false };
    kept = {
      normal: dropPrimitives(normal, options),
      reduce: dropPrimitives(reduce, options),
    };
  }
}
