/**
 * Reads PyTorch's reference numbers of evaluation networks, tests/fixtures/pytorch/evaluation.
 *
 * What the files hold is told in bench/peers/pytorch/README.md, whose make_network_fixtures.py made them.
 */

import type { HostTensor } from "../../nn/safetensors.ts";
import type { StateDict } from "../../nn/state_dict.ts";
import { floats, readFixture } from "./fixtures.ts";

/** The weights that the files hold as a strided view of a short storage. */
export const HEAD = "auxiliary_head.features.5.weight";
const HEAD_SHAPE = [768, 128, 2, 2], HEAD_STRIDES = [1, 7, 3, 11];

/** The networks' size, the same for all. */
export const NETWORK_SHAPE = { layers: 4, channels: 4, classes: 10 };

/**
 * A network's whole state dict in PyTorch's layout and order, and what is expected of it.
 *
 * @param name A stored genotype's, or `training`.
 */
export async function readNetworkFixture(
  name: string,
): Promise<{ state: StateDict; expected: StateDict }> {
  const stored = await readFixture(`evaluation/${name}`);
  const state = new Map<string, HostTensor>();
  for (const [key, tensor] of stored) {
    if (key !== `${HEAD}.storage`) state.set(key, tensor);
    else state.set(HEAD, { shape: HEAD_SHAPE, data: spread(floats(stored, key).data) });
  }
  return { state, expected: await readFixture(`evaluation/${name}_expected`) };
}

/** Row-major values of the strided view. */
function spread(storage: Float32Array): Float32Array<ArrayBuffer> {
  const [outputs, inputs, height, width] = HEAD_SHAPE;
  const [output, input, row, column] = HEAD_STRIDES;
  const values = new Float32Array(outputs * inputs * height * width);
  let at = 0;
  for (let o = 0; o < outputs; o++) {
    for (let i = 0; i < inputs; i++) {
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          values[at++] = storage[o * output + i * input + y * row + x * column];
        }
      }
    }
  }
  return values;
}
