/**
 * Tensors of the naive references: a shape and float64 values, row by row.
 *
 * The references share no code with the ops they judge: plain loops over these arrays.
 */

/** A dense float64 tensor. */
export interface Tensor64 {
  shape: number[];
  values: Float64Array;
}

/** Tensors by name: the inputs, outputs or gradients of an op. */
export type Tensors64 = Record<string, Tensor64>;

/** What a naive op yields. */
export interface NaiveResult {
  outputs: Tensors64;
  /**
   * Gradients, by name of the input, of `sum over outputs of sum(output * cotangent)`. Outputs
   * without a cotangent do not take part.
   */
  gradients(cotangents: Tensors64): Tensors64;
}

/** A naive op. */
export type NaiveOp = (inputs: Tensors64) => NaiveResult;

/** A tensor of zeros. */
export function zeros(shape: readonly number[]): Tensor64 {
  return {
    shape: [...shape],
    values: new Float64Array(shape.reduce((size, side) => size * side, 1)),
  };
}

/** Adds `term` to `sum`, in place. */
export function accumulate(sum: Tensor64, term: Tensor64): void {
  for (let index = 0; index < sum.values.length; index++) sum.values[index] += term.values[index];
}

/** `sum(a * b)` over all elements. */
export function dot(a: Tensor64, b: Tensor64): number {
  let sum = 0;
  for (let index = 0; index < a.values.length; index++) sum += a.values[index] * b.values[index];
  return sum;
}

/** The tensors whose names begin with `prefix`, without it. */
export function withoutPrefix(tensors: Tensors64, prefix: string): Tensors64 {
  return Object.fromEntries(
    Object.entries(tensors).filter(([name]) => name.startsWith(prefix))
      .map(([name, tensor]) => [name.slice(prefix.length), tensor]),
  );
}

/** The tensors with `prefix` before their names. */
export function withPrefix(tensors: Tensors64, prefix: string): Tensors64 {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => [prefix + name, tensor]),
  );
}
