/**
 * Reads PyTorch's reference numbers of evaluation networks, in tests/fixtures/pytorch: `evaluation` for
 * CIFAR, `imagenet`.
 *
 * What the files hold is told in bench/peers/pytorch/README.md, whose make_network_fixtures.py and
 * make_imagenet_fixtures.py made them.
 */

import type { HostTensor } from "../../nn/safetensors.ts";
import type { StateDict } from "../../nn/state_dict.ts";
import { floats, readFixture } from "./fixtures.ts";

/** Of ImageNet's images, in 0..1. */
const IMAGENET_STATISTICS = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

/** The weights that the files hold as a strided view of a short storage. */
export const HEAD = "auxiliary_head.features.5.weight";
const HEAD_SHAPE = [768, 128, 2, 2], HEAD_STRIDES = [1, 7, 3, 11];

/** The size of all networks for CIFAR. */
export const CIFAR_SHAPE = { layers: 4, channels: 4, classes: 10 };
/** The size of all networks for ImageNet. */
export const IMAGENET_SHAPE = { network: "imagenet", layers: 3, channels: 4, classes: 4 } as const;

/**
 * A network's whole state dict in PyTorch's layout and order.
 *
 * @param path Folder and name of its file, such as `evaluation/PDARTS`.
 */
export async function readNetworkState(path: string): Promise<StateDict> {
  const stored = await readFixture(path);
  const state = new Map<string, HostTensor>();
  for (const [key, tensor] of stored) {
    if (key !== `${HEAD}.storage`) state.set(key, tensor);
    else state.set(HEAD, { shape: HEAD_SHAPE, data: spread(floats(stored, key).data) });
  }
  return state;
}

/**
 * Normalised images of 8-bit pixels, each of which is repeated to a square.
 *
 * @param pixels `[..., side, side, 3]`.
 * @returns `[..., S, S, 3]` float32, `S = side repeat`.
 */
export function imagesOf(
  { shape, data }: HostTensor,
  repeat: number,
): Float32Array<ArrayBuffer> {
  const { mean, std } = IMAGENET_STATISTICS, [side] = shape.slice(-3), large = side * repeat;
  const count = data.length / (side * side * 3);
  const images = new Float32Array(count * large * large * 3);
  for (let at = 0; at < images.length; at++) {
    const channel = at % 3, pixel = (at - channel) / 3;
    const column = pixel % large, row = Math.floor(pixel / large) % large;
    const image = Math.floor(pixel / large ** 2);
    const source = (image * side + Math.floor(row / repeat)) * side + Math.floor(column / repeat);
    images[at] = (Number(data[3 * source + channel]) / 255 - mean[channel]) / std[channel];
  }
  return images;
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
