/**
 * The network that a stage of the search trains: stem, cells with every kept primitive on every edge,
 * average pool, classifier.
 *
 * Invariants: cells at `layers div 3` and `2 layers div 3` reduce and double the channels; all normal
 * cells share one matrix of alphas, all reduction cells another; parameters carry the names of the
 * authors' modules. A cell's output is freed when the states of the next two are made of it.
 *
 * Source: arXiv 1904.12760, sections 3.1 and 4.1.
 */

import * as tf from "@tensorflow/tfjs-core";
import { derivedNumber, type HostNumber, hostNumber } from "../backends/host_number.ts";
import { globalAveragePool } from "../backends/ops/global_average_pool.ts";
import type { Dropout } from "../backends/ops/normalised_sum.ts";
import type { CounterRandom, RandomKey } from "../backends/random.ts";
import {
  type BatchNormConfig,
  type BatchNormUpdates,
  type ForwardMode,
  repeatedMode,
} from "../nn/batch_norm.ts";
import {
  type CellInput,
  consumersOf,
  isReduction,
  prepareStates,
  stemConsumers,
} from "../nn/cell_chain.ts";
import { Parameters } from "../nn/parameters.ts";
import { CELL_NODES, EDGES } from "../nn/primitives.ts";
import { type MemoryMode, recomputedCells, runPiece } from "../nn/recompute.ts";
import { checkImages, makeStem, type NetworkKind, type Stem } from "../nn/stem.ts";
import { SearchCell } from "./cell.ts";
import type { KeptPrimitives } from "./edge_weights.ts";

/** What a supernet is made of. */
export interface SupernetOptions {
  /** Number of cells. */
  readonly layers: number;
  /** Which stem it has; default "cifar". */
  readonly network?: NetworkKind;
  /** Channels of the first cells' states; even with ImageNet's stem. */
  readonly channels: number;
  /** Width of the logits. */
  readonly classes: number;
  /** Primitives kept on each edge of the normal cells, `[14][kept]`, equally many on each. */
  readonly normal: KeptPrimitives;
  /** The same for the reduction cells. */
  readonly reduce: KeptPrimitives;
  /** How alphas start. */
  readonly alphas: { readonly initialDeviation: number };
  /** Of every batch norm. */
  readonly batchNorm: Pick<BatchNormConfig, "epsilon">;
  /** Whether cells are computed twice instead of kept for their gradients; default "normal". */
  readonly memory?: MemoryMode;
}

/** Dropout behind stride-1 skips in training. */
export interface SkipDropout {
  /** In [0, 1); whether it is 0 must not change between a recorded step and its replays. */
  readonly rate: HostNumber;
  /** Of all its masks. */
  readonly key: RandomKey;
  /**
   * Number of this training pass, from 0: masks are drawn under `pass * layers * 14 + cell * 14 + edge`
   * modulo 2^32, so they repeat after 2^32 / (14 layers) passes, 18 million at 17 cells.
   */
  readonly pass: HostNumber;
}

/** How a forward pass is run. */
export interface SupernetPass {
  /** Collects batch moments: given in training, absent in evaluation. */
  readonly updates?: BatchNormUpdates;
  /** What will be differentiated; spares the others' gradients. Default "none". */
  readonly gradients?: "weights" | "alphas" | "none";
  /** Only with `updates`. */
  readonly dropout?: SkipDropout;
}

/** States 0 and 1 of a cell, and its edges' weights. */
type CellInputs = readonly [tf.Tensor4D, tf.Tensor4D, tf.Tensor2D];

/** A network of one stage, with its parameters. Dispose `parameters` when done. */
export class Supernet {
  /** All of its parameters and running statistics. */
  readonly parameters: Parameters;
  /** What the softmax makes the edges' weights of; `[14, kept]` each. */
  readonly alphas: { normal: tf.Variable<tf.Rank.R2>; reduce: tf.Variable<tf.Rank.R2> };

  readonly #stem: Stem;
  readonly #cells: SearchCell[] = [];
  readonly #classifier: ReturnType<Parameters["linear"]>;
  readonly #epsilon: number;
  /** How many of the cells, from the first on, are recomputed in a backward pass. */
  readonly #recomputed: number;

  /**
   * Makes the parameters.
   *
   * @param random Source of the initial values.
   * @throws {RangeError} If a size is not a positive integer, the channels behind ImageNet's stem are odd,
   *   or the kept primitives are not 14 rows of one length.
   */
  constructor(options: SupernetOptions, random: CounterRandom) {
    checkOptions(options);
    const { layers, classes, normal, reduce } = options;
    const parameters = this.parameters = new Parameters(random);
    const alphas = (name: string, kept: KeptPrimitives) =>
      parameters.normal<tf.Rank.R2>(name, {
        shape: [EDGES.length, kept[0].length],
        scale: options.alphas.initialDeviation,
      });
    this.alphas = {
      normal: alphas("alphas_normal", normal),
      reduce: alphas("alphas_reduce", reduce),
    };
    this.#epsilon = options.batchNorm.epsilon;
    let channels = options.channels;
    this.#stem = makeStem(parameters, options);
    let { outputs: inputs, reduces: afterReduction } = this.#stem;
    const sizes: number[] = []; // of states: channels times area, which falls as channels squared rise
    for (let index = 0; index < layers; index++) {
      const reduction = isReduction(index, layers);
      if (reduction) channels *= 2;
      const kept = reduction ? reduce : normal;
      this.#cells.push(
        new SearchCell(parameters, {
          name: `cells.${index}`,
          inputs,
          channels,
          reduction,
          afterReduction,
          kept,
        }),
      );
      inputs = [inputs[1], CELL_NODES * channels];
      afterReduction = reduction;
      sizes.push(1 / channels);
    }
    this.#recomputed = options.memory === "low" ? recomputedCells(sizes) : 0;
    this.#classifier = parameters.linear("classifier", { inputs: inputs[1], outputs: classes });
  }

  /** Variables by name: alphas, or all others. */
  trainable(kind: "weights" | "alphas"): Map<string, tf.Variable> {
    return new Map(
      [...this.parameters.trainable()].filter(([name]) => isAlpha(name) === (kind === "alphas")),
    );
  }

  /** Number of scalars in all parameters but the alphas. */
  get parameterCount(): number {
    return this.parameters.count((name) => !isAlpha(name));
  }

  /**
   * Computes the logits.
   *
   * @param images `[N, H, W, 3]` float32, normalised; H and W of any size.
   * @returns `[N, classes]` float32. The caller disposes.
   * @throws {TypeError} If the images are not rank-4 float32.
   * @throws {RangeError} If they have not three channels.
   */
  forward(
    images: tf.Tensor4D,
    { updates, gradients = "none", dropout }: SupernetPass = {},
  ): tf.Tensor2D {
    checkImages(images, "supernet");
    const filterGradient = gradients === "weights";
    const mode: ForwardMode = { updates, epsilon: this.#epsilon, filterGradient };
    const pass = { mode, dropout: updates && dropout }, cells = this.#cells;
    return tf.tidy(() => {
      const weights = {
        normal: tf.softmax(this.alphas.normal),
        reduce: tf.softmax(this.alphas.reduce),
      };
      const states: [tf.Tensor4D, tf.Tensor4D][] = this.#cells.map(() => [images, images]);
      const hand = (consumers: readonly CellInput[], prepared: tf.Tensor4D[]) =>
        consumers.forEach(({ cell, input }, index) => states[cell][input] = prepared[index]);
      const inputsOf = (index: number): CellInputs => [
        ...states[index],
        this.#cells[index].reduction ? weights.reduce : weights.normal,
      ];
      hand(stemConsumers(cells.length), tf.tidy(() => this.#stem.states(images, { cells, mode })));
      const last = this.#cells.length - 1;
      for (let index = 0; index < last; index++) {
        const consumers = consumersOf(index, cells.length);
        const produce = (inputs: CellInputs, again: boolean) => {
          const mode = again ? repeatedMode(pass.mode) : pass.mode;
          const output = this.#runCell(index, inputs, { ...pass, mode });
          return prepareStates(output, { cells, consumers, mode });
        };
        const recompute = index < this.#recomputed;
        hand(consumers, runPiece(inputsOf(index), produce, { recompute }));
        tf.dispose(states[index]);
      }
      const features = tf.tidy(() => globalAveragePool(this.#runCell(last, inputsOf(last), pass)));
      const { weight, bias } = this.#classifier;
      return tf.add(tf.matMul(features, weight), bias) as tf.Tensor2D;
    });
  }

  #runCell(
    index: number,
    [first, second, weights]: CellInputs,
    { mode, dropout }: { mode: ForwardMode; dropout: SkipDropout | undefined },
  ): tf.Tensor4D {
    const masks = dropout && this.#maskSource(dropout, index);
    return this.#cells[index].forward([first, second], { mode, weights, dropout: masks });
  }

  #maskSource({ rate, key, pass }: SkipDropout, cell: number): Dropout | undefined {
    if (hostNumber(rate) === 0) return undefined;
    const first = (pass: number) => (pass * this.#cells.length + cell) * EDGES.length % 2 ** 32;
    return { rate, key, counter: derivedNumber(first, pass) };
  }
}

function isAlpha(name: string): boolean {
  return name.startsWith("alphas_");
}

function checkOptions(options: SupernetOptions): void {
  const { layers, channels, classes, normal, reduce, network } = options;
  for (const [what, value] of Object.entries({ layers, channels, classes })) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new RangeError(`Cannot build a supernet: want ${what} of 1 or more, got ${value}`);
    }
  }
  if (network === "imagenet" && channels % 2 !== 0) {
    throw new RangeError(`Cannot build a supernet: want even channels, got ${channels}`);
  }
  for (const [cell, kept] of Object.entries({ normal, reduce })) {
    const lengths = new Set(kept.map((primitives) => primitives.length));
    if (kept.length !== EDGES.length || lengths.size !== 1 || lengths.has(0)) {
      throw new RangeError(
        `Cannot build a supernet: want equally many primitives on ${EDGES.length} edges of the ` +
          `${cell} cell, got ${kept.map((primitives) => primitives.length).join(", ")}`,
      );
    }
  }
}
