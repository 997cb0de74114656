/**
 * State dicts: a network's tensors on the host by PyTorch's names and in PyTorch's layouts, and the
 * strict comparison of one with what a network expects.
 */

import type { HostTensor } from "./safetensors.ts";

/** Tensors by name, in the order of the network's modules. */
export type StateDict = ReadonlyMap<string, HostTensor>;

/** What a network expects under one name. */
export interface ExpectedTensor {
  /** PyTorch's sizes. */
  readonly shape: readonly number[];
  /** Type of the elements. */
  readonly dtype: "float32" | "int64";
}

/**
 * Checks that a state dict has exactly the expected tensors.
 *
 * @throws {RangeError} naming the first key that is missing, unexpected or of another shape
 * @throws {TypeError} naming the first key whose elements are of another type
 */
export function checkStateDict(
  dict: StateDict,
  expected: ReadonlyMap<string, ExpectedTensor>,
): void {
  for (const [name, { shape, dtype }] of expected) {
    const tensor = dict.get(name);
    if (!tensor) throw new RangeError(`Cannot load the state: "${name}" is missing`);
    if (tensor.shape.join() !== shape.join()) {
      throw new RangeError(
        `Cannot load the state: want "${name}" of shape [${shape}], got [${tensor.shape}]`,
      );
    }
    const wanted = dtype === "int64" ? BigInt64Array : Float32Array;
    if (!(tensor.data instanceof wanted)) {
      throw new TypeError(
        `Cannot load the state: want "${name}" as ${dtype}, got a ${tensor.data.constructor.name}`,
      );
    }
  }
  for (const name of dict.keys()) {
    if (!expected.has(name)) throw new RangeError(`Cannot load the state: "${name}" is unexpected`);
  }
}

/** The entries whose name starts with `prefix`, without it. */
export function withoutPrefix(dict: StateDict, prefix: string): Map<string, HostTensor> {
  const entries = [...dict].filter(([name]) => name.startsWith(prefix));
  return new Map(entries.map(([name, tensor]) => [name.slice(prefix.length), tensor]));
}
