/**
 * A mixed edge and a FactorizedReduce, put together from the fused ops, against PyTorch: results and
 * all gradients, on every device.
 */

import * as tf from "@tensorflow/tfjs-core";
import { type Branch, branches } from "../../backends/ops/branches.ts";
import { normalisedSum, type SumTerm } from "../../backends/ops/normalised_sum.ts";
import { fromTorch, type Layout, ourShape, toTorch } from "../../nn/layouts.ts";
import type { StateDict } from "../../nn/state_dict.ts";
import { type DeviceTest, onEachDevice } from "../backends/devices.ts";
import { permitted } from "../permitted.ts";
import { assertParity, FIXTURES_READ, floats, readFixture } from "./fixtures.ts";

/** Filters by PyTorch's name. */
type Filters = Record<string, tf.Tensor4D>;
type OpBody = (x: tf.Tensor4D, filters: Filters, weights?: tf.Tensor) => tf.Tensor4D;

function separable(filters: Filters, name: string, options: Options): Branch {
  return {
    kind: "separable",
    depthwise: filters[`${name}.${options.at}.weight`],
    pointwise: filters[`${name}.${options.at + 1}.weight`],
    stride: options.stride,
    dilation: options.dilation,
  };
}

interface Options {
  /** Place of the depthwise convolution in PyTorch's Sequential. */
  at: number;
  stride: number;
  dilation: number;
}

function factorizedReduce(filters: Filters, prefix: string): Branch {
  const filter = (name: string) => filters[`${prefix}${name}.weight`];
  return { kind: "factorized_reduce", filters: [filter("conv_1"), filter("conv_2")] };
}

/** An edge of all eight primitives; `none`, the first, adds nothing. */
function mixedEdge(stride: number): OpBody {
  return (x, filters, weights) => {
    const first = { at: 1, stride };
    const [max, avg, skip, sep3, sep5, dil3, dil5] = branches(x, [
      { kind: "max_pool", stride },
      { kind: "avg_pool", stride },
      stride === 1 ? { kind: "identity" } : factorizedReduce(filters, "m_ops.3."),
      separable(filters, "m_ops.4.op", { ...first, dilation: 1 }),
      separable(filters, "m_ops.5.op", { ...first, dilation: 1 }),
      separable(filters, "m_ops.6.op", { ...first, dilation: 2 }),
      separable(filters, "m_ops.7.op", { ...first, dilation: 2 }),
    ], { activation: "relu" });
    const [second3] = branches(sep3.y, [
      separable(filters, "m_ops.4.op", { at: 5, stride: 1, dilation: 1 }),
    ], { affine: sep3.affine });
    const [second5] = branches(sep5.y, [
      separable(filters, "m_ops.5.op", { at: 5, stride: 1, dilation: 1 }),
    ], { affine: sep5.affine });
    const terms = [max, avg, skip, second3, second5, dil3, dil5]
      .map(({ y, affine }, index): SumTerm => ({ x: y, affine, weight: index + 1 }));
    return normalisedSum(terms, { weights });
  };
}

const reduceAlone: OpBody = (x, filters) => {
  const [{ y, affine }] = branches(x, [factorizedReduce(filters, "")], { activation: "relu" });
  return normalisedSum([{ x: y, affine }]);
};

function layoutOf(shape: readonly number[]): Layout {
  return shape[1] === 1 ? "depthwise" : "convolution";
}

/** Runs an op on a case's inputs, and compares its result and gradients. */
async function checkOp({ name, op }: { name: string; op: OpBody }): Promise<void> {
  const all = await readFixture("ops");
  const fixture: StateDict = new Map(
    [...all].filter(([key]) => key.startsWith(`${name}.`))
      .map(([key, tensor]) => [key.slice(name.length + 1), tensor]),
  );
  const states = [...fixture.keys()].filter((key) => key.startsWith("state."));
  const tensor = (key: string) =>
    tf.tensor(floats(fixture, key).data, [...fixture.get(key)!.shape]);
  const filters = states.map((key) => {
    const { data, shape } = floats(fixture, key), layout = layoutOf(shape);
    return tf.tensor(fromTorch(data, { shape, layout }), ourShape(shape, layout));
  });
  const weights = fixture.has("edge_weights") ? [tensor("edge_weights")] : [];
  const inputs = [tensor("x"), ...weights, ...filters], dy = tensor("dy");
  const run = (...values: tf.Tensor[]) => {
    const [x, ...rest] = values;
    const edge = weights.length > 0 ? rest.shift() : undefined;
    const named = states.map((key, index) => [key.slice("state.".length), rest[index]]);
    return op(x as tf.Tensor4D, Object.fromEntries(named), edge);
  };
  const y = tf.tidy(() => run(...inputs));
  const gradients = tf.grads((...values: tf.Tensor[]) => tf.sum(tf.mul(run(...values), dy)))(
    inputs,
  );
  const names = [
    "dx",
    ...(weights.length > 0 ? ["edge_weights.gradient"] : []),
    ...states.map((key) => key.replace("state", "gradient")),
  ];
  const actual = new Map<string, Float32Array>();
  for (const [index, gradient] of gradients.entries()) {
    const { shape } = fixture.get(names[index])!;
    const data = await gradient.data() as Float32Array;
    const ofFilter = names[index].startsWith("gradient.");
    actual.set(
      names[index],
      toTorch(data, { shape, layout: ofFilter ? layoutOf(shape) : "plain" }),
    );
  }
  const expected = new Map(names.map((key) => [key, floats(fixture, key).data]));
  const result = await y.data() as Float32Array;
  tf.dispose([...inputs, dy, y, ...gradients]);
  assertParity(new Map([["y", result]]), new Map([["y", floats(fixture, "y").data]]), name);
  assertParity(actual, expected, `${name} gradients`);
}

if (permitted(FIXTURES_READ)) {
  onEachDevice((test) => {
    const parity = (name: string, op: OpBody) => (_: DeviceTest) => checkOp({ name, op });
    test(
      "branches() and normalisedSum() give PyTorch's mixed edge when the stride is 1",
      parity("mixed_stride1", mixedEdge(1)),
    );
    test(
      "branches() and normalisedSum() give PyTorch's mixed edge when the stride is 2",
      parity("mixed_stride2", mixedEdge(2)),
    );
    test(
      "branches() gives PyTorch's FactorizedReduce",
      parity("factorized_reduce", reduceAlone),
    );
  });
}
