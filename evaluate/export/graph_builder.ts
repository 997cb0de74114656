/**
 * Builds a graph node by node from the weights of a state dict, and folds batch norms into the filters in
 * front of them where that is wanted: a filter is multiplied by `gamma / sqrt(variance + epsilon)` of its
 * result's channel, and what is left is a bias.
 *
 * Source of the folding: Jacob et al., arXiv 1712.05877, section 3.2.
 */

import type { StateDict } from "../../nn/state_dict.ts";
import type { GraphNode, Operation, Weight } from "./graph.ts";

/** A convolution of a state dict, before its place in the graph is known. */
export interface NamedConvolution {
  /** Name of its result, and with `.weight` of its filter. */
  readonly name: string;
  readonly input: string;
  /** Outputs, inputs per group, height and width of the filter. */
  readonly shape: readonly [number, number, number, number];
  readonly depthwise?: boolean;
  readonly stride?: readonly [number, number];
  readonly dilation?: number;
}

/** Adds nodes one by one, with the weights of a state dict. */
export class GraphBuilder {
  /** The nodes by name, in order. */
  readonly nodes = new Map<string, GraphNode>();
  readonly #weights: StateDict;
  readonly #unread: Set<string>;
  readonly #norms: { epsilon: number; fold: boolean };

  /**
   * Starts empty.
   *
   * @param norms Epsilon of the batch norms, and whether each goes into the filters in front of it.
   */
  constructor(weights: StateDict, norms: { epsilon: number; fold: boolean }) {
    this.#weights = weights;
    this.#unread = new Set(weights.keys());
    this.#norms = norms;
  }

  /** Adds a node, unless one of its name is there. Returns the name. */
  add(name: string, operation: Operation, inputs: readonly string[]): string {
    if (!this.nodes.has(name)) this.nodes.set(name, { name, inputs, operation });
    return name;
  }

  /** The rectified input, one node for all who want it. */
  relu(input: string): string {
    return this.add(`${input}.relu`, { op: "relu" }, [input]);
  }

  /** Every other row and column of the input, from the first or the second on. */
  everyOther(input: string, first: 0 | 1): string {
    return this.add(`${input}.from_${first}`, { op: "every_other", first }, [input]);
  }

  /** The input with zeros below and on its right. */
  padEnd(input: string): string {
    return this.add(`${input}.padded`, { op: "pad_end" }, [input]);
  }

  /** A convolution without a norm. */
  convolution(spec: NamedConvolution): string {
    return this.#convolve(spec, this.weight(`${spec.name}.weight`, spec.shape));
  }

  /** Convolutions concatenated on channels, and the batch norm behind them. */
  normed(convolutions: readonly NamedConvolution[], norm: string): string {
    const channels = convolutions.reduce((sum, { shape }) => sum + shape[0], 0);
    const of = (part: string) => this.weight(`${norm}.${part}`, [channels]);
    const [gamma, beta] = [of("weight"), of("bias")];
    const [mean, variance] = [of("running_mean"), of("running_var")];
    const { epsilon, fold } = this.#norms;
    if (!fold) {
      const made = this.#concat(convolutions.map((spec) => this.convolution(spec)), norm);
      return this.add(norm, { op: "batch_norm", gamma, beta, mean, variance, epsilon }, [made]);
    }
    const scale = gamma.data.map((value, c) => value / Math.sqrt(variance.data[c] + epsilon));
    const shift = beta.data.map((value, c) => value - mean.data[c] * scale[c]);
    let first = 0;
    const parts = convolutions.map((spec) => {
      const end = first + spec.shape[0];
      const filter = scaled(
        this.weight(`${spec.name}.weight`, spec.shape),
        scale.subarray(first, end),
      );
      const bias = { shape: [spec.shape[0]], data: shift.slice(first, end) };
      first = end;
      return this.#convolve(spec, filter, bias);
    });
    return this.#concat(parts, norm);
  }

  /**
   * A weight of the state dict.
   *
   * @throws {RangeError} If it is missing or of another shape.
   */
  weight(name: string, shape: readonly number[]): Weight {
    const tensor = this.#weights.get(name);
    if (!tensor) throw new RangeError(`${name} is missing, and the network wants [${shape}]`);
    if (tensor.shape.join() !== shape.join() || !(tensor.data instanceof Float32Array)) {
      const got = `${tensor.data.constructor.name} [${tensor.shape}]`;
      throw new RangeError(`${name} is ${got}, and the network wants floats [${shape}]`);
    }
    this.#unread.delete(name);
    return tensor as Weight;
  }

  /** Names of the weights that no node took. */
  unread(): readonly string[] {
    return [...this.#unread];
  }

  #convolve(
    { name, input, depthwise = false, stride = [1, 1], dilation = 1 }: NamedConvolution,
    filter: Weight,
    bias?: Weight,
  ): string {
    const operation = { op: "convolution", filter, depthwise, bias } as const;
    // Windows of dilation 2 and stride 2 see every other pixel alone: tfjs has no such convolution.
    const sparse = dilation === 2 && stride.every((step) => step === 2);
    return sparse
      ? this.add(name, { ...operation, stride: [1, 1], dilation: 1 }, [this.everyOther(input, 0)])
      : this.add(name, { ...operation, stride, dilation }, [input]);
  }

  #concat(parts: readonly string[], name: string): string {
    return parts.length === 1 ? parts[0] : this.add(`${name}.concat`, { op: "concat" }, parts);
  }
}

/** A filter whose result is multiplied by a scale for each output. */
function scaled({ shape, data }: Weight, scale: Float32Array): Weight {
  const size = data.length / scale.length;
  return { shape, data: data.map((value, index) => value * scale[Math.floor(index / size)]) };
}
