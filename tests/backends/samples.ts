/**
 * Reproducible inputs of the op tests.
 *
 * Values in front of a ReLU or a maximum are multiples of a power of two, small enough for float32 to
 * compute `scale x + shift` exactly: which side of zero a value falls on, and which values tie, is then
 * the same in float32 and float64, and both cases occur.
 */

import { CounterRandom } from "../../backends/random.ts";
import { type Tensor64, zeros } from "./naive/tensor64.ts";

/** A generator of tensors, seeded by a text such as the name of a case. */
export class Samples {
  readonly #random: CounterRandom;

  constructor(name: string) {
    let seed = 7;
    for (const letter of name) seed = (seed * 31 + letter.charCodeAt(0)) % 2 ** 32;
    this.#random = new CounterRandom(seed);
  }

  /** Multiples of `1 / steps` in [-2, 2]. */
  exact(shape: readonly number[], { steps = 64 }: { steps?: number } = {}): Tensor64 {
    return this.#fill(shape, () => (this.#random.integer(4 * steps + 1) - 2 * steps) / steps);
  }

  /** Uniform float32 numbers in [-bound, bound]. */
  uniform(shape: readonly number[], { bound = 1 }: { bound?: number } = {}): Tensor64 {
    return this.#fill(shape, () => Math.fround(bound * (2 * this.#random.uniform() - 1)));
  }

  /** A filter of the size that keeps results near the size of the inputs. */
  filter(shape: readonly number[]): Tensor64 {
    const fanIn = shape[0] * shape[1] * (shape[3] === 1 ? 1 : shape[2]);
    return this.uniform(shape, { bound: 1.7 / Math.sqrt(fanIn) });
  }

  /** Integers in 0..bound-1. */
  integers(shape: readonly number[], bound: number): Tensor64 {
    return this.#fill(shape, () => this.#random.integer(bound));
  }

  /** An integer in 0..bound-1. */
  integer(bound: number): number {
    return this.#random.integer(bound);
  }

  #fill(shape: readonly number[], draw: () => number): Tensor64 {
    const tensor = zeros(shape);
    for (let at = 0; at < tensor.values.length; at++) tensor.values[at] = draw();
    return tensor;
  }
}
