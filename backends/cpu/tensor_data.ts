/**
 * The values behind a tensor of the CPU backend: a block of the shared memory, or values that have no
 * place there (strings), or a sum of tensors scaled by channel that nobody has needed evaluated so far.
 *
 * tfjs-backend-cpu's kernels read the property `values`; here it is a view of the block, made when
 * asked for.
 */

import type { backend_util, DataType, TensorInfo } from "@tensorflow/tfjs-core";

/** What identifies a tensor's values in tfjs. */
export type DataId = object;

/** One summand of an unevaluated sum: a tensor scaled by channel. */
export interface ScaledTerm {
  base: DataId;
  /** One factor per channel, the last axis. */
  scale: Float32Array;
}

/** Gives a block's views and makes blocks; the backend. */
export interface BlockOwner {
  view(address: number, dtype: DataType, elements: number): backend_util.TypedArray;
  evaluate(terms: readonly ScaledTerm[], elements: number): number;
}

export class TensorBlock {
  readonly dtype: DataType;
  refCount = 1;
  complexTensorInfos?: { real: TensorInfo; imag: TensorInfo };
  /** Elements, not bytes. */
  readonly elements: number;
  /**
   * The summands while unevaluated: how a normalised sum hands its gradient to all its terms, and how
   * the gradients of a tensor used by several sums are added.
   */
  scaled: readonly ScaledTerm[] | undefined;
  readonly #owner: BlockOwner;
  readonly #loose: backend_util.BackendValues | undefined;
  #address: number | undefined;

  constructor(
    owner: BlockOwner,
    { dtype, elements, address, loose, scaled }: {
      dtype: DataType;
      elements: number;
      address?: number;
      loose?: backend_util.BackendValues;
      scaled?: readonly ScaledTerm[];
    },
  ) {
    this.#owner = owner;
    this.dtype = dtype;
    this.elements = elements;
    this.#address = address;
    this.#loose = loose;
    this.scaled = scaled;
  }

  /** Address of the block, evaluating a scaled sum; undefined for values outside the memory. */
  get address(): number | undefined {
    if (this.scaled) {
      this.#address = this.#owner.evaluate(this.scaled, this.elements);
      this.scaled = undefined;
    }
    return this.#address;
  }

  /** The block to free, without evaluating anything. */
  get allocated(): number | undefined {
    return this.#address;
  }

  get values(): backend_util.BackendValues | undefined {
    const address = this.address;
    if (address === undefined) return this.#loose;
    return this.#owner.view(address, this.dtype, this.elements);
  }
}
