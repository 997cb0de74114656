/**
 * The judge of every op on every device: one case, its forward results and all its gradients against
 * the float64 reference and the plain composition, its bits against those of its family, and the
 * number of tensors and bytes it leaves behind.
 */

import * as tf from "@tensorflow/tfjs-core";
import { assert, assertEquals } from "../assert.ts";
import { type DeviceTest, onComposition, type TestDevice } from "./devices.ts";
import { dot, type NaiveOp, type Tensors64 } from "./naive/tensor64.ts";
import { Samples } from "./samples.ts";
import { FINITE_DIFFERENCES, TOLERANCES } from "./tolerances.ts";

/** tfjs tensors by name. */
export type NamedTensors = Record<string, tf.Tensor>;

/** An op at one shape and with one set of options. */
export interface OpCase {
  /** Says shape and options; also the seed of the cotangents. */
  name: string;
  inputs: Tensors64;
  /** Inputs that are int32; the others are float32. */
  integers?: readonly string[];
  /** Inputs by which the loss is differentiated. */
  differentiate: readonly string[];
  /** Outputs that enter the loss, each times a random cotangent; the others are constants. */
  lossOf: readonly string[];
  run(inputs: NamedTensors): NamedTensors;
  naive: NaiveOp;
  /** Whether plain loops in JavaScript are fast enough for it. */
  small: boolean;
  /** Values of a channel in its smallest batch norm; default no norm. */
  normed?: number;
  /** Bytes that a device must bind at once for it; default few. */
  binding?: number;
}

interface Evaluation {
  outputs: Record<string, Float32Array>;
  gradients: Record<string, Float32Array>;
}

interface Reference {
  outputs: Tensors64;
  gradients: Tensors64;
}

const references = new WeakMap<OpCase, Reference>();
const compositions = new WeakMap<OpCase, Evaluation>();
const families = new WeakMap<OpCase, Map<string, Evaluation>>();

/** Judges each case in a step of its own. */
export async function checkCases(on: DeviceTest, cases: readonly OpCase[]): Promise<void> {
  for (const one of cases) {
    const { fast, binding = Infinity, leastNormed = 0 } = on.device;
    if ((!one.small && !fast) || (one.binding ?? 0) > binding) continue;
    if ((one.normed ?? Infinity) < leastNormed) continue;
    await on.context.step({
      name: one.name,
      sanitizeOps: false,
      sanitizeResources: false,
      fn: () => checkCase(on, one),
    });
  }
}

/** Judges one case on the current device. */
export async function checkCase({ device, running }: DeviceTest, one: OpCase): Promise<void> {
  const tensors = tf.memory().numTensors;
  const result = await evaluate(one);
  assertEquals(tf.memory().numTensors, tensors, "tensors after the op and its gradient");
  if (device.family !== "composition") {
    // The first run may have enlarged a backend's scratch, which stays.
    const bytes = running.bytes();
    assertSameBits(await evaluate(one), result);
    assertEquals(running.bytes(), bytes, "bytes after a second run");
  }
  const reference = referenceOf(one);
  const problems = [
    ...differences(result.outputs, reference.outputs, { label: "y", kind: "forward", device }),
    ...differences(result.gradients, reference.gradients, { label: "d", kind: "gradient", device }),
  ];
  if (one.small && device.family !== "composition") {
    const composed = compositions.get(one) ?? await onComposition(() => evaluate(one));
    compositions.set(one, composed);
    problems.push(
      ...compare(result.outputs, composed.outputs, {
        label: "composed y",
        kind: "composed",
        device,
      }),
      ...compare(result.gradients, composed.gradients, {
        label: "composed d",
        kind: "composed",
        device,
      }),
    );
  }
  assert(problems.length === 0, `${one.name}\n  ${problems.join("\n  ")}`);
  const known = families.get(one) ?? new Map<string, Evaluation>();
  assertSameBits(result, known.get(device.family) ?? result);
  families.set(one, known.set(device.family, result));
}

/** Holds the reference's gradients against central differences of its outputs, at random places. */
export function checkReference(one: OpCase, { places = 3 }: { places?: number } = {}): void {
  const { step, relative } = FINITE_DIFFERENCES;
  const cotangents = cotangentsOf(one, one.naive(one.inputs).outputs);
  const { gradients } = referenceOf(one);
  const samples = new Samples(`${one.name} places`);
  const loss = () => {
    const { outputs } = one.naive(one.inputs);
    return one.lossOf.reduce((sum, name) => sum + dot(outputs[name], cotangents[name]), 0);
  };
  for (const name of one.differentiate) {
    const { values } = one.inputs[name], expected = gradients[name].values;
    const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-3);
    for (let place = 0; place < places; place++) {
      const at = samples.integer(values.length), before = values[at];
      values[at] = before + step;
      const above = loss();
      values[at] = before - step;
      const slope = (above - loss()) / (2 * step);
      values[at] = before;
      assert(
        Math.abs(slope - expected[at]) <= relative * largest,
        `${one.name}: d ${name}[${at}] is ${expected[at]}, its finite difference ${slope}`,
      );
    }
  }
}

function referenceOf(one: OpCase): Reference {
  const known = references.get(one);
  if (known) return known;
  const result = one.naive(one.inputs);
  const all = one.differentiate.length > 0
    ? result.gradients(cotangentsOf(one, result.outputs))
    : {};
  const gradients = Object.fromEntries(one.differentiate.map((name) => [name, all[name]]));
  const reference = { outputs: result.outputs, gradients };
  references.set(one, reference);
  return reference;
}

function cotangentsOf(
  { name, lossOf }: OpCase,
  outputs: Record<string, { shape: number[] }>,
): Tensors64 {
  const samples = new Samples(`${name} cotangents`);
  return Object.fromEntries(lossOf.map((key) => [key, samples.uniform(outputs[key].shape)]));
}

/** Runs the op, then tf.grads of a loss that has the cotangents as gradients; leaves no tensor. */
async function evaluate(one: OpCase): Promise<Evaluation> {
  const inputs = toTensors(one.inputs, one.integers);
  const before = tf.memory().numTensors;
  const outputs = one.run(inputs);
  assertEquals(
    tf.memory().numTensors - before,
    Object.keys(outputs).length,
    `${one.name}: tensors made beside the outputs`,
  );
  let gradients: NamedTensors = {};
  if (one.differentiate.length > 0) {
    const cotangents = toTensors(cotangentsOf(one, outputs));
    const computed = tf.grads((...differentiated: tf.Tensor[]) => {
      const named = Object.fromEntries(
        one.differentiate.map((name, index) => [name, differentiated[index]]),
      );
      const results = one.run({ ...inputs, ...named });
      return lossWithGradients(
        one.lossOf.map((name) => results[name]),
        one.lossOf.map((name) => cotangents[name]),
      );
    })(one.differentiate.map((name) => inputs[name]));
    gradients = Object.fromEntries(one.differentiate.map((name, index) => [name, computed[index]]));
    tf.dispose(cotangents);
  }
  tf.dispose(inputs);
  const [outputValues, gradientValues] = await Promise.all([read(outputs), read(gradients)]);
  return { outputs: outputValues, gradients: gradientValues };
}

/**
 * A loss of 0 whose gradients by the outputs are their cotangents: no op but the one under test meets
 * its tensors.
 */
function lossWithGradients(outputs: tf.Tensor[], cotangents: tf.Tensor[]): tf.Scalar {
  const loss = tf.customGrad(() => ({
    value: tf.scalar(0),
    gradFunc: () => cotangents.map((cotangent) => cotangent.clone()),
  }));
  return loss(...outputs) as tf.Scalar;
}

/** tfjs tensors of the current backend with these values. */
export function toTensors(tensors: Tensors64, integers: readonly string[] = []): NamedTensors {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { shape, values }]) => [
      name,
      integers.includes(name)
        ? tf.tensor(new Int32Array(values), shape, "int32")
        : tf.tensor(new Float32Array(values), shape, "float32"),
    ]),
  );
}

/** Copies the values out, and disposes of the tensors. */
async function read(tensors: NamedTensors): Promise<Record<string, Float32Array>> {
  // All at once: a device answers them together.
  const read = Object.entries(tensors).map(async ([name, tensor]) => {
    const values = new Float32Array(await tensor.data());
    tensor.dispose();
    return [name, values] as const;
  });
  return Object.fromEntries(await Promise.all(read));
}

type Values = Record<string, ArrayLike<number>>;

interface Comparison {
  label: string;
  kind: "forward" | "gradient" | "composed";
  device: TestDevice;
}

function differences(
  actual: Record<string, Float32Array>,
  expected: Tensors64,
  comparison: Comparison,
): string[] {
  const values = Object.fromEntries(
    Object.entries(expected).map(([name, tensor]) => [name, tensor.values]),
  );
  return compare(actual, values, comparison);
}

/** One line per tensor that is missing, of another size, or too far off. */
function compare(actual: Values, expected: Values, { label, kind, device }: Comparison): string[] {
  const { floor, [kind]: limit } = device.tolerance ?? TOLERANCES.float32;
  const names = new Set([...Object.keys(actual), ...Object.keys(expected)]);
  return [...names].flatMap((name) => {
    const got = actual[name], want = expected[name];
    if (got?.length !== want?.length) {
      return [`${label} ${name}: ${got?.length} values, not ${want?.length}`];
    }
    let largest: number = floor, worst = 0, at = -1;
    for (let index = 0; index < want.length; index++) {
      largest = Math.max(largest, Math.abs(want[index]));
      const error = Math.abs(got[index] - want[index]);
      if (!(error <= worst)) [worst, at] = [error, index];
      if (Number.isNaN(worst)) break;
    }
    if (worst / largest <= limit) return [];
    const error = (worst / largest).toExponential(1);
    return [`${label} ${name}: relative error ${error}; [${at}] is ${got[at]}, not ${want[at]}`];
  });
}

/** Another run, or one with another number of threads, gives the same bits. */
function assertSameBits(actual: Evaluation, first: Evaluation): void {
  for (const part of ["outputs", "gradients"] as const) {
    for (const [name, values] of Object.entries(actual[part])) {
      const got = new Uint32Array(values.buffer), want = new Uint32Array(first[part][name].buffer);
      assert(got.every((bits, at) => bits === want[at]), `bits of ${part} ${name} change by run`);
    }
  }
}
