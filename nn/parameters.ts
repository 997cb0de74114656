/**
 * The parameters and buffers of a network: device variables under PyTorch's state-dict names, created
 * with PyTorch's default initial values, saved and loaded in PyTorch's layouts.
 *
 * Invariants: a parameter's initial numbers depend on the seed and its name alone, not on what was
 * created before; numbers are drawn in PyTorch's order. Batch norms may share memory (a pool that
 * several edges of a cell keep), and are then saved under every name. Host reads happen in
 * `stateDict` only.
 *
 * Initial values: torch.nn.Conv2d and Linear, uniform in ±1/sqrt(fan_in) (kaiming_uniform with
 * a = sqrt 5); torch.nn.BatchNorm2d, 1 and 0.
 */

import * as tf from "@tensorflow/tfjs-core";
import type { CounterRandom } from "../backends/random.ts";
import { fromTorch, type Layout, ourShape, toTorch } from "./layouts.ts";
import type { HostTensor } from "./safetensors.ts";
import { checkStateDict, type ExpectedTensor, type StateDict } from "./state_dict.ts";

/** A batch norm's tensors on the device. */
export interface BatchNorm {
  /** Channels normalised, each on its own. */
  readonly channels: number;
  /** `[channels]` float32; absent without affine parameters. */
  readonly gamma?: tf.Variable<tf.Rank.R1>;
  /** `[channels]` float32; absent without affine parameters. */
  readonly beta?: tf.Variable<tf.Rank.R1>;
  /** `[2, channels]` float32: running mean, and running unbiased variance. */
  readonly running: tf.Variable<tf.Rank.R2>;
}

/** One key of the state dict. */
interface Entry extends ExpectedTensor {
  /** Absent for `num_batches_tracked`, which the host counts. */
  readonly variable?: tf.Variable;
  readonly layout: Layout;
  /** For running statistics: the row of the variable. */
  readonly row?: 0 | 1;
}

/** All parameters and buffers of one network. Dispose when done. */
export class Parameters {
  readonly #random: CounterRandom;
  readonly #entries = new Map<string, Entry>();
  readonly #trainable = new Map<string, tf.Variable>();
  readonly #variables = new Set<tf.Variable>();

  /** Training batches seen by every batch norm: `num_batches_tracked`. */
  batchesTracked = 0;

  /**
   * Starts without parameters.
   *
   * @param random Source of initial values; each parameter draws from its own fork.
   */
  constructor(random: CounterRandom) {
    this.#random = random;
  }

  /**
   * A dense convolution's weight.
   *
   * @param shape PyTorch's `[out, in, kh, kw]`.
   * @returns `[kh, kw, in, out]` float32.
   */
  convolution(
    name: string,
    shape: readonly [number, number, number, number],
  ): tf.Variable<tf.Rank.R4> {
    return this.#uniform(name, { shape, layout: "convolution", fanIn: product(shape.slice(1)) });
  }

  /**
   * A depthwise convolution's weight, `[channels, 1, kernel, kernel]` in PyTorch.
   *
   * @returns `[kernel, kernel, channels, 1]` float32.
   */
  depthwise(
    name: string,
    { channels, kernel }: { channels: number; kernel: number },
  ): tf.Variable<tf.Rank.R4> {
    const shape = [channels, 1, kernel, kernel];
    return this.#uniform(name, { shape, layout: "depthwise", fanIn: kernel * kernel });
  }

  /**
   * A linear layer, saved as `<name>.weight` and `<name>.bias`.
   *
   * @returns weight `[inputs, outputs]` and bias `[outputs]`, float32.
   */
  linear(
    name: string,
    { inputs, outputs }: { inputs: number; outputs: number },
  ): { weight: tf.Variable<tf.Rank.R2>; bias: tf.Variable<tf.Rank.R1> } {
    const draw = { fanIn: inputs };
    return {
      weight: this.#uniform(`${name}.weight`, {
        ...draw,
        shape: [outputs, inputs],
        layout: "linear",
      }),
      bias: this.#uniform(`${name}.bias`, { ...draw, shape: [outputs], layout: "plain" }),
    };
  }

  /** A float32 parameter of `scale` times standard normals, such as a matrix of alphas. */
  normal<R extends tf.Rank>(
    name: string,
    { shape, scale }: { shape: readonly number[]; scale: number },
  ): tf.Variable<R> {
    const draw = this.#stream(name);
    const data = Float32Array.from({ length: product(shape) }, () => scale * draw.normal());
    return this.#add(name, { shape, layout: "plain", data });
  }

  /**
   * A batch norm, saved under `<name>.`: `weight` and `bias` with `affine`, and the running statistics.
   *
   * @param options.sharedWith A batch norm without affine parameters that sees the same values: this
   *   name then stands for the same memory.
   */
  batchNorm(
    name: string,
    options: { channels: number; affine: boolean; sharedWith?: BatchNorm },
  ): BatchNorm {
    const { channels, affine, sharedWith } = options;
    const norm = sharedWith ?? this.#newNorm(name, { channels, affine });
    const shape = [channels], dtype = "float32", layout = "plain";
    const variable = norm.running;
    this.#register(`${name}.running_mean`, { shape, dtype, layout, variable, row: 0 });
    this.#register(`${name}.running_var`, { shape, dtype, layout, variable, row: 1 });
    this.#register(`${name}.num_batches_tracked`, { shape: [], dtype: "int64", layout });
    return norm;
  }

  /** Trainable variables by name, in the order of their making. */
  trainable(): ReadonlyMap<string, tf.Variable> {
    return this.#trainable;
  }

  /** Every variable, in the order of their making: trainable ones and running statistics. */
  variables(): Iterable<tf.Variable> {
    return this.#variables;
  }

  /** The names, shapes and types of the state dict, in its order. */
  expected(): ReadonlyMap<string, ExpectedTensor> {
    return this.#entries;
  }

  /** Reads everything to the host. */
  async stateDict(): Promise<Map<string, HostTensor>> {
    const variables = [...this.#variables];
    const values = await Promise.all(variables.map((variable) => variable.data()));
    const read = new Map(variables.map((variable, index) => [variable, values[index]]));
    return new Map([...this.#entries].map(([name, entry]): [string, HostTensor] => {
      const { shape, layout, variable, row } = entry;
      if (!variable) return [name, { shape, data: BigInt64Array.of(BigInt(this.batchesTracked)) }];
      const all = read.get(variable) as Float32Array, size = product(shape);
      const own = row === undefined ? all : all.subarray(row * size, (row + 1) * size);
      return [name, { shape, data: toTorch(own, { shape, layout }) }];
    }));
  }

  /**
   * Replaces everything by a state dict's numbers; nothing changes where it throws.
   *
   * @throws {RangeError} If a key is missing, unexpected or of another shape, or batch norms of shared
   *   memory or the counts of batches disagree; the message names the first such key.
   * @throws {TypeError} If a tensor's elements are of another type.
   */
  loadStateDict(dict: StateDict): void {
    checkStateDict(dict, this.#entries);
    const values = new Map<tf.Variable, Float32Array>();
    let batches: bigint | undefined;
    const rows = new Map<string, Float32Array>();
    for (const [name, { shape, layout, variable, row }] of this.#entries) {
      const { data } = dict.get(name)!;
      if (!variable) {
        const [count] = data as BigInt64Array;
        if (batches !== undefined && count !== batches) {
          throw new RangeError(
            `Cannot load the state: "${name}" is ${count}, another count ${batches}`,
          );
        }
        batches = count;
      } else if (row === undefined) {
        values.set(variable, fromTorch(data as Float32Array, { shape, layout }));
      } else {
        const place = `${variable.id} ${row}`, before = rows.get(place);
        if (before && !agree(before, data as Float32Array)) {
          throw new RangeError(
            `Cannot load the state: "${name}" differs from the same pool's on another edge`,
          );
        }
        rows.set(place, data as Float32Array);
        const both = values.get(variable) ?? new Float32Array(variable.size);
        both.set(data as Float32Array, row * product(shape));
        values.set(variable, both);
      }
    }
    for (const [variable, data] of values) assignValues(variable, data);
    this.batchesTracked = Number(batches ?? 0);
  }

  /** Number of scalars in the trainable variables whose name `counted` accepts; by default all. */
  count(counted: (name: string) => boolean = () => true): number {
    return [...this.#trainable].filter(([name]) => counted(name))
      .reduce((sum, [, variable]) => sum + variable.size, 0);
  }

  /** Frees every variable. */
  dispose(): void {
    for (const variable of this.#variables) variable.dispose();
    this.#variables.clear();
  }

  #newNorm(
    name: string,
    { channels, affine }: { channels: number; affine: boolean },
  ): BatchNorm {
    const ones = new Float32Array(channels).fill(1), zeros = new Float32Array(channels);
    const shape = [channels], layout = "plain";
    const gamma: tf.Variable<tf.Rank.R1> | undefined = affine
      ? this.#add(`${name}.weight`, { shape, layout, data: ones })
      : undefined;
    const beta: tf.Variable<tf.Rank.R1> | undefined = affine
      ? this.#add(`${name}.bias`, { shape, layout, data: zeros })
      : undefined;
    const initial = tf.tensor2d([...zeros, ...ones], [2, channels]);
    const running = tf.variable(initial, false);
    initial.dispose();
    this.#variables.add(running);
    return { channels, gamma, beta, running };
  }

  #uniform<R extends tf.Rank>(
    name: string,
    spec: { shape: readonly number[]; layout: Layout; fanIn: number },
  ): tf.Variable<R> {
    const draw = this.#stream(name), bound = 1 / Math.sqrt(spec.fanIn);
    const data = Float32Array.from(
      { length: product(spec.shape) },
      () => bound * (2 * draw.uniform() - 1),
    );
    return this.#add(name, { ...spec, data });
  }

  /** The stream that a name's characters select. */
  #stream(name: string): CounterRandom {
    return this.#random.fork(...Array.from(name, (character) => character.codePointAt(0)!));
  }

  #add<R extends tf.Rank>(
    name: string,
    { shape, layout, data }: { shape: readonly number[]; layout: Layout; data: Float32Array },
  ): tf.Variable<R> {
    this.#checkNew(name);
    const initial = tf.tensor(fromTorch(data, { shape, layout }), ourShape(shape, layout));
    const variable = tf.variable(initial as tf.Tensor<R>);
    initial.dispose();
    this.#register(name, { shape, dtype: "float32", layout, variable });
    this.#variables.add(variable);
    this.#trainable.set(name, variable);
    return variable;
  }

  #register(name: string, entry: Entry): void {
    this.#checkNew(name);
    this.#entries.set(name, entry);
  }

  #checkNew(name: string): void {
    if (this.#entries.has(name)) {
      throw new RangeError(`Cannot make parameters: two are named "${name}"`);
    }
  }
}

/**
 * Replaces a variable's numbers by numbers from the host, in our layout.
 *
 * @param data As many float32 as the variable holds.
 */
export function assignValues(variable: tf.Variable, data: Float32Array): void {
  const value = tf.tensor(data, variable.shape, "float32");
  variable.assign(value);
  value.dispose();
}

/** Whether two runs of numbers agree but for rounding. */
function agree(a: Float32Array, b: Float32Array): boolean {
  return a.every((value, index) => Math.abs(value - b[index]) <= 1e-4 * Math.abs(value) + 1e-6);
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((size, n) => size * n, 1);
}
