/**
 * SGD with momentum and Adam over named variables, with slots that can be saved.
 *
 * Invariants: a step assigns new values to every variable, frees the gradients' successors it made, and
 * changes nothing where it throws; the number of tensors is the same before and after.
 *
 * Formulas in backends/ops/optimizer_step.ts, those of torch.optim.
 */

import * as tf from "@tensorflow/tfjs-core";
import type { HostNumber } from "../backends/host_number.ts";
import { adamStep, sgdStep, type StepOutput } from "../backends/ops/optimizer_step.ts";
import type { HostTensor } from "./safetensors.ts";
import { checkStateDict, type ExpectedTensor, type StateDict } from "./state_dict.ts";

/** What both optimisers are told once. */
export interface OptimizerOptions {
  /** Largest global norm of the gradients; Infinity leaves them alone. */
  clip: number;
  /** Added to the gradient after clipping, times the parameter. */
  weightDecay: number;
}

/** What SGD is told once. */
export interface SgdOptions extends OptimizerOptions {
  /** Share of the last step's direction that stays, in [0, 1). */
  momentum: number;
}

/** What Adam is told once. */
export interface AdamOptions extends OptimizerOptions {
  /** Decay of the first moments, in [0, 1). */
  beta1: number;
  /** Decay of the second moments, in [0, 1). */
  beta2: number;
  /** Added to the root of the second moments. */
  epsilon: number;
}

/** A step that has been computed; its new values are freed with it unless it was committed. */
export interface PreparedStep extends Disposable {
  /**
   * Assigns the new values, once; allocates nothing, so that it cannot fail for memory. The step is still
   * to be counted, with `countStep`.
   */
  commit(): void;
}

/** Variables with one zero-initialised slot tensor each per slot name. */
abstract class Optimizer {
  readonly #names: string[];
  readonly #variables: tf.Variable[];
  readonly #slotNames: readonly string[];
  #slots: tf.Tensor[][];

  /** Steps taken. */
  protected steps = 0;

  constructor(parameters: ReadonlyMap<string, tf.Variable>, slotNames: readonly string[]) {
    this.#names = [...parameters.keys()];
    this.#variables = [...parameters.values()];
    this.#slotNames = slotNames;
    this.#slots = slotNames.map(() =>
      this.#variables.map((variable) => tf.keep(tf.zeros(variable.shape)))
    );
  }

  /**
   * Takes one step.
   *
   * @param gradients One float32 tensor per parameter, in their order; stay the caller's.
   * @param learningRate Of this step, 0 or more.
   * @throws {RangeError} If there is not one gradient per parameter.
   */
  step(gradients: tf.Tensor[], learningRate: number): void {
    using step = this.prepare(gradients, learningRate);
    step.commit();
    this.countStep();
  }

  /**
   * Computes one step, for a caller who has more to compute before anything may change; the arguments
   * are those of {@linkcode step}.
   *
   * @throws {RangeError} If there is not one gradient per parameter.
   */
  prepare(gradients: tf.Tensor[], learningRate: HostNumber): PreparedStep {
    const output = this.compute(
      { parameters: this.#variables, gradients, slots: this.#slots },
      learningRate,
    );
    output.norm.dispose();
    let committed = false;
    return {
      commit: () => {
        this.#commit(output);
        committed = true;
      },
      [Symbol.dispose]: () => {
        if (!committed) tf.dispose([output.parameters, output.slots]);
      },
    };
  }

  #commit({ parameters, slots }: StepOutput): void {
    parameters.forEach((value, index) => {
      this.#variables[index].assign(value);
      value.dispose();
    });
    for (const slot of this.#slots.flat()) slot.dispose();
    this.#slots = slots.map((slot) => slot.map((tensor) => tf.keep(tensor)));
  }

  /** Counts a step that was committed, or replayed. */
  countStep(): void {
    this.steps++;
  }

  /** All slots, in an order that does not change; a step replaces them. */
  get slots(): readonly tf.Tensor[] {
    return this.#slots.flat();
  }

  /** The new values and slots of one step. */
  protected abstract compute(
    input: { parameters: tf.Tensor[]; gradients: tf.Tensor[]; slots: tf.Tensor[][] },
    learningRate: HostNumber,
  ): StepOutput;

  /**
   * Reads the slots to the host as `<slot>.<parameter>`, in the devices' layout, and the steps taken as
   * `steps`.
   */
  async state(): Promise<Map<string, HostTensor>> {
    const tensors = await Promise.all(
      this.#slots.flat().map(async (slot, index) => {
        const data = Float32Array.from(await slot.data());
        return [this.#keys()[index], { shape: slot.shape, data }] as [string, HostTensor];
      }),
    );
    return new Map<string, HostTensor>([
      ["steps", { shape: [], data: BigInt64Array.of(BigInt(this.steps)) }],
      ...tensors,
    ]);
  }

  /**
   * Continues from a saved state; nothing changes where it throws.
   *
   * @throws {RangeError} If a key is missing, unexpected or of another shape.
   * @throws {TypeError} If a tensor's elements are of another type.
   */
  restore(state: StateDict): void {
    const keys = this.#keys();
    const expected = new Map<string, ExpectedTensor>([["steps", { shape: [], dtype: "int64" }]]);
    this.#slots.flat().forEach(({ shape }, index) =>
      expected.set(keys[index], { shape, dtype: "float32" })
    );
    checkStateDict(state, expected);
    this.#slots = this.#slots.map((slot, place) =>
      slot.map((old, index) => {
        old.dispose();
        const { data } = state.get(keys[place * slot.length + index])!;
        return tf.keep(tf.tensor(new Float32Array(data as Float32Array), old.shape));
      })
    );
    this.steps = Number((state.get("steps")!.data as BigInt64Array)[0]);
  }

  /** Frees the slots; the parameters stay. */
  dispose(): void {
    for (const slot of this.#slots.flat()) slot.dispose();
    this.#slots = [];
  }

  #keys(): string[] {
    return this.#slotNames.flatMap((slot) => this.#names.map((name) => `${slot}.${name}`));
  }
}

/** Stochastic gradient descent with momentum, as torch.optim.SGD with global-norm clipping. */
export class Sgd extends Optimizer {
  readonly #options: SgdOptions;

  /**
   * Starts with slots of zeros.
   *
   * @param parameters Variables by the names under which their slots are saved.
   */
  constructor(parameters: ReadonlyMap<string, tf.Variable>, options: SgdOptions) {
    super(parameters, ["momentum"]);
    this.#options = options;
  }

  /** The new values and slots of one step. */
  protected override compute(
    input: { parameters: tf.Tensor[]; gradients: tf.Tensor[]; slots: tf.Tensor[][] },
    learningRate: HostNumber,
  ): StepOutput {
    return sgdStep(input, { ...this.#options, learningRate });
  }
}

/** Adam, as torch.optim.Adam with decay added to the gradient and global-norm clipping. */
export class Adam extends Optimizer {
  readonly #options: AdamOptions;

  /**
   * Starts with slots of zeros.
   *
   * @param parameters Variables by the names under which their slots are saved.
   */
  constructor(parameters: ReadonlyMap<string, tf.Variable>, options: AdamOptions) {
    super(parameters, ["first", "second"]);
    this.#options = options;
  }

  /** The new values and slots of one step. */
  protected override compute(
    input: { parameters: tf.Tensor[]; gradients: tf.Tensor[]; slots: tf.Tensor[][] },
    learningRate: HostNumber,
  ): StepOutput {
    return adamStep(input, { ...this.#options, learningRate, step: () => this.steps + 1 });
  }
}
