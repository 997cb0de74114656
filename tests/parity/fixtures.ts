/**
 * Reads PyTorch's reference numbers of tests/fixtures/pytorch, and judges ours against them.
 *
 * What the files hold is told in bench/peers/pytorch/README.md, whose make_fixtures.py made them.
 */

import * as tf from "@tensorflow/tfjs-core";
import { decodeSafetensors, type HostTensor } from "../../nn/safetensors.ts";
import type { StateDict } from "../../nn/state_dict.ts";
import { assert } from "../assert.ts";

const FOLDER = new URL("../fixtures/pytorch/", import.meta.url);

/** The permissions a test of fixtures needs. */
export const FIXTURES_READ = { read: ["tests/fixtures/pytorch"] };

/**
 * Largest `max|actual - expected| / max|expected|` of a tensor in float32, on the backend that computed
 * it. WebGPU lets a device round divisions, roots and exponentials less exactly than a CPU; on llvmpipe
 * the worst tensor is off by 3.4e-5, on the CPU by 1.5e-5.
 */
function parity(): number {
  return tf.getBackend().endsWith("webgpu") ? 1e-3 : 1e-4;
}

/**
 * Share of the largest value of a tensor's group (all gradients, say) that its own largest counts as at
 * least. A tensor smaller than that carries the rounding of the whole backward pass, not of its own
 * values: relative to itself its error says nothing. It decides for the six running means of stage1
 * that are 0 but for rounding; every other tensor of the networks passes without it.
 */
export const GROUP_FLOOR = 1e-3;

/** Tensors of a fixture file by name. */
export async function readFixture(name: string): Promise<StateDict> {
  return decodeSafetensors(await Deno.readFile(new URL(`${name}.safetensors`, FOLDER))).tensors;
}

/** A tensor's float32 numbers. @throws {TypeError} If it is missing or of another type. */
export function floats(tensors: StateDict, name: string): HostTensor & { data: Float32Array } {
  const tensor = tensors.get(name);
  if (!(tensor?.data instanceof Float32Array)) {
    throw new TypeError(`Cannot read fixture "${name}" as float32: got ${tensor?.data}`);
  }
  return tensor as HostTensor & { data: Float32Array };
}

/** The network of a fixture case; images are square. */
export interface CaseConfig {
  channels: number;
  layers: number;
  classes: number;
  batch: number;
  /** Side of the images in pixels. */
  size: number;
  /** Indices of the primitives each of the 14 edges keeps. */
  kept_normal: number[][];
  kept_reduce: number[][];
}

/** A network with its inputs and everything PyTorch made of them. */
export interface ParityCase {
  config: CaseConfig;
  /** The initial state dict. */
  state: StateDict;
  expected: StateDict;
}

export type CaseName = "stage1" | "stage2" | "stage3";
export const CASE_NAMES: readonly CaseName[] = ["stage1", "stage2", "stage3"];

/** Reads one network case. */
export async function readCase(name: CaseName): Promise<ParityCase> {
  const index = JSON.parse(await Deno.readTextFile(new URL("index.json", FOLDER)));
  return {
    config: index.cases[name],
    state: await readFixture(`${name}_state`),
    expected: await readFixture(`${name}_expected`),
  };
}

/**
 * Cuts a stored vector into the named tensors it concatenates: the state's float32 entries that
 * `included` accepts, in the state's order.
 */
export function unflatten(
  vector: Float32Array,
  state: StateDict,
  included: (name: string) => boolean,
): Map<string, Float32Array> {
  const tensors = new Map<string, Float32Array>();
  let place = 0;
  for (const [name, { data }] of state) {
    if (!(data instanceof Float32Array) || !included(name)) continue;
    tensors.set(name, vector.subarray(place, place += data.length));
  }
  assert(place === vector.length, `${place} of ${vector.length} numbers have a name`);
  return tensors;
}

/** Whether a state-dict name is of a running statistic. */
export const isRunning = (name: string) => /\.running_(mean|var)$/.test(name);
/** Whether a float32 state-dict name is of a weight: neither alphas nor running statistics. */
export const isWeight = (name: string) => !isRunning(name) && !name.startsWith("alphas_");

function largest(values: Float32Array): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

/**
 * Fails unless every expected tensor of a group is there, within {@linkcode parity}; the message names
 * the worst five.
 */
export function assertParity(
  actual: ReadonlyMap<string, Float32Array>,
  expected: ReadonlyMap<string, Float32Array>,
  label: string,
): void {
  const group = [...expected].map(([name, want]): Comparison => {
    return { name, want, got: actual.get(name), rounding: 0 };
  });
  assertWithin(group, label);
}

/**
 * Fails unless every expected tensor has changed since the initial network as PyTorch's has, within
 * {@linkcode parity} of the change.
 *
 * A few steps change a tensor little: weight decay, say, shows in the change alone. Float32 rounds the
 * tensor at every step and the stored one once, each by up to 2^-24 of its largest value, which is
 * taken off the error.
 */
export function assertChange(
  actual: ReadonlyMap<string, Float32Array>,
  expected: ReadonlyMap<string, Float32Array>,
  { initial, steps, label }: {
    initial: ReadonlyMap<string, Float32Array>;
    steps: number;
    label: string;
  },
): void {
  const changes = [...expected].map(([name, want]): Comparison => {
    const before = initial.get(name)!, got = actual.get(name)!;
    return {
      name,
      want: want.map((value, index) => value - before[index]),
      got: got.map((value, index) => value - before[index]),
      rounding: (steps + 1) * 2 ** -24 * largest(want),
    };
  });
  assertWithin(changes, `change of ${label}`);
}

/** One tensor of a group. */
interface Comparison {
  name: string;
  want: Float32Array;
  got: Float32Array | undefined;
  /** Part of the difference that counts as none. */
  rounding: number;
}

function assertWithin(group: readonly Comparison[], label: string): void {
  const floor = GROUP_FLOOR * Math.max(...group.map(({ want }) => largest(want)));
  const limit = parity(), wrong: { name: string; error: number }[] = [];
  for (const { name, want, got, rounding } of group) {
    assert(
      got?.length === want.length,
      `${label} ${name}: ${got?.length} of ${want.length} values`,
    );
    const difference = largest(want.map((value, index) => got[index] - value));
    const error = (difference - rounding) / Math.max(largest(want), floor);
    if (!(error <= limit)) wrong.push({ name, error });
  }
  const worst = wrong.sort((a, b) => b.error - a.error).slice(0, 5)
    .map(({ name, error }) => `${name} ${error.toExponential(1)}`);
  assert(wrong.length === 0, `${label}: ${wrong.length} tensors off, worst ${worst.join(", ")}`);
}
