/**
 * The network that a genotype makes, for CIFAR or ImageNet: stem, cells, average pool, classifier, and in
 * training an auxiliary head on the second reduction cell.
 *
 * Invariants: cells at `layers div 3` and `2 layers div 3` reduce and double the channels; parameters
 * carry the names of the authors' modules. A cell's output is freed when the states of the next two are
 * made of it.
 *
 * Source: arXiv 1904.12760, section 4.3.
 */

import * as tf from "@tensorflow/tfjs-core";
import { globalAveragePool } from "../backends/ops/global_average_pool.ts";
import type { CounterRandom } from "../backends/random.ts";
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
import type { FoldedNorms } from "../nn/folded_norms.ts";
import { cellOf, type Genotype } from "../nn/genotypes.ts";
import { Parameters } from "../nn/parameters.ts";
import { type MemoryMode, recomputedCells, runPiece } from "../nn/recompute.ts";
import { checkImages, makeStem, type NetworkKind, type Stem } from "../nn/stem.ts";
import { AuxiliaryHead } from "./auxiliary_head.ts";
import { EvaluationCell } from "./cell.ts";

/** What a network is made of. */
export interface NetworkOptions {
  /** Its cells. */
  readonly genotype: Genotype;
  /** Which stem and auxiliary head it has; default "cifar". */
  readonly network?: NetworkKind;
  /** Number of cells. */
  readonly layers: number;
  /** Channels of the first cells' states; even. */
  readonly channels: number;
  /** Width of the logits. */
  readonly classes: number;
  /** Whether it has the auxiliary head. */
  readonly auxiliary: boolean;
  /** Of every batch norm. */
  readonly batchNorm: Pick<BatchNormConfig, "epsilon">;
  /** Whether cells are computed twice instead of kept for their gradients; default "normal". */
  readonly memory?: MemoryMode;
}

/** How a forward pass is run. */
export interface NetworkPass {
  /** Collects batch moments: given in training, absent in evaluation. */
  readonly updates?: BatchNormUpdates;
  /** What will be differentiated; default "none", which spares the gradients of filters. */
  readonly gradients?: "weights" | "none";
  /** `[drops, N]` factors of each operation that drop path can drop; only with `updates`. */
  readonly dropPath?: tf.Tensor2D;
  /** Batch norms that have gone into their filters; only without `updates`. */
  readonly folded?: FoldedNorms;
}

/** What a forward pass computes; the caller disposes. */
export interface NetworkOutput {
  /** `[N, classes]` float32. */
  readonly logits: tf.Tensor2D;
  /** `[N, classes]` float32, of the auxiliary head in training. */
  readonly auxiliary?: tf.Tensor2D;
}

/** States 0 and 1 of a cell, and the drop-path factors of its operations. */
type CellInputs = readonly [tf.Tensor4D, tf.Tensor4D, ...tf.Tensor1D[]];

/** A network, with its parameters. Dispose `parameters` when done. */
export class EvaluationNetwork {
  /** All of its parameters and running statistics. */
  readonly parameters: Parameters;
  /** How many operations drop path can drop: rows of a pass's factors. */
  readonly drops: number;
  /** Of every batch norm. */
  readonly epsilon: number;

  readonly #stem: Stem;
  readonly #cells: readonly EvaluationCell[];
  /** The head, and the cell it is on. */
  readonly #auxiliary: { cell: number; head: AuxiliaryHead } | undefined;
  readonly #classifier: ReturnType<Parameters["linear"]>;
  /** How many of the cells, from the first on, are recomputed in a backward pass. */
  readonly #recomputed: number;

  /**
   * Makes the parameters.
   *
   * @param random Source of the initial values.
   * @throws {RangeError} If a size is not a positive integer, the channels are odd, or the genotype leaves
   *   a state unused.
   */
  constructor(options: NetworkOptions, random: CounterRandom) {
    checkOptions(options);
    const { layers, classes, auxiliary, network } = options;
    const parameters = this.parameters = new Parameters(random);
    this.epsilon = options.batchNorm.epsilon;
    this.#stem = makeStem(parameters, options);
    const { cells, sizes } = makeCells(parameters, { ...options, stem: this.#stem });
    this.#cells = cells;
    this.drops = cells.reduce((sum, cell) => sum + cell.drops, 0);
    this.#recomputed = options.memory === "low" ? recomputedCells(sizes) : 0;
    if (auxiliary) {
      const cell = Math.floor(2 * layers / 3), inputs = cells[cell].outputs;
      this.#auxiliary = { cell, head: new AuxiliaryHead(parameters, { inputs, classes, network }) };
    }
    const inputs = cells[layers - 1].outputs;
    this.#classifier = parameters.linear("classifier", { inputs, outputs: classes });
  }

  /** Number of scalars in all parameters, those of the auxiliary head included. */
  get parameterCount(): number {
    return this.parameters.count();
  }

  /**
   * Computes the logits.
   *
   * @param images `[N, H, W, 3]` float32, normalised; H and W of any size, but for the auxiliary head at
   *   least 29, and 193 with ImageNet's stem.
   * @throws {TypeError} If the images are not rank-4 float32.
   * @throws {RangeError} If they have not three channels, they are too small for the auxiliary head, or the
   *   drop-path factors are not `[drops, N]`.
   */
  forward(images: tf.Tensor4D, pass: NetworkPass = {}): NetworkOutput {
    const { updates, gradients = "none", folded, dropPath } = pass;
    checkImages(images, "network");
    const filterGradient = gradients === "weights";
    const mode: ForwardMode = { updates, epsilon: this.epsilon, filterGradient, folded };
    return tf.tidy(() => {
      const cells = this.#cells;
      const factors = this.#factors(images, updates && dropPath);
      const states: [tf.Tensor4D, tf.Tensor4D][] = cells.map(() => [images, images]);
      const hand = (consumers: readonly CellInput[], made: tf.Tensor4D[]) =>
        consumers.forEach(({ cell, input }, index) => states[cell][input] = made[index]);
      hand(stemConsumers(cells.length), tf.tidy(() => this.#stem.states(images, { cells, mode })));
      const heads: tf.Tensor2D[] = [];
      for (let index = 0; index < cells.length; index++) {
        const consumers = consumersOf(index, cells.length);
        const made = runPiece<CellInputs, tf.Tensor>(
          [...states[index], ...factors[index]],
          (inputs, again) => this.#runCell(index, inputs, again ? repeatedMode(mode) : mode),
          { recompute: index < this.#recomputed },
        );
        tf.dispose(states[index]);
        hand(consumers, made as tf.Tensor4D[]);
        heads.push(...made.slice(consumers.length) as tf.Tensor2D[]);
      }
      const features = heads.pop()!, auxiliary = heads.pop();
      const { weight, bias } = this.#classifier;
      const logits: tf.Tensor2D = tf.add(tf.matMul(features, weight), bias);
      return auxiliary ? { logits, auxiliary } : { logits };
    });
  }

  /** The states that a cell's output becomes; then auxiliary logits, and the last one's features. */
  #runCell(
    index: number,
    [first, second, ...factors]: CellInputs,
    mode: ForwardMode,
  ): tf.Tensor[] {
    const cells = this.#cells, dropPath = factors.length > 0 ? factors : undefined;
    const output = cells[index].forward([first, second], { mode, dropPath });
    const head = mode.updates && this.#auxiliary?.cell === index && this.#auxiliary.head;
    const auxiliary = head ? [head.forward(output, mode)] : [];
    if (index === cells.length - 1) return [...auxiliary, globalAveragePool(output)];
    const consumers = consumersOf(index, cells.length);
    return [...prepareStates(output, { cells, consumers, mode }), ...auxiliary];
  }

  /** The drop-path factors of each cell's operations. */
  #factors(images: tf.Tensor4D, dropPath: tf.Tensor2D | undefined): tf.Tensor1D[][] {
    if (!dropPath) return this.#cells.map(() => []);
    const shape = [this.drops, images.shape[0]];
    if (dropPath.shape.join() !== shape.join()) {
      throw new RangeError(
        `Cannot drop paths: want factors [${shape}], got [${dropPath.shape}]`,
      );
    }
    const rows = tf.unstack(dropPath) as tf.Tensor1D[];
    return this.#cells.map(({ drops }) => rows.splice(0, drops));
  }
}

/** The cells, and how much each keeps for its gradients, in a unit of their own. */
function makeCells(
  parameters: Parameters,
  { genotype, layers, channels, stem }: NetworkOptions & { stem: Stem },
): { cells: EvaluationCell[]; sizes: number[] } {
  const cells: EvaluationCell[] = [], sizes: number[] = [];
  let { outputs: inputs, reduces: afterReduction } = stem;
  for (let index = 0; index < layers; index++) {
    const reduction = isReduction(index, layers);
    if (reduction) channels *= 2;
    const cell = new EvaluationCell(parameters, {
      name: `cells.${index}`,
      genotype: cellOf(genotype, reduction ? "reduce" : "normal"),
      inputs,
      channels,
      reduction,
      afterReduction,
    });
    cells.push(cell);
    // Channels times area, which falls as the square of the channels rises.
    sizes.push(1 / channels);
    inputs = [inputs[1], cell.outputs];
    afterReduction = reduction;
  }
  return { cells, sizes };
}

function checkOptions({ layers, channels, classes }: NetworkOptions): void {
  for (const [what, value] of Object.entries({ layers, channels, classes })) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new RangeError(`Cannot build a network: want ${what} of 1 or more, got ${value}`);
    }
  }
  if (channels % 2 !== 0) {
    throw new RangeError(`Cannot build a network: want even channels, got ${channels}`);
  }
}
