/** The global average pool in WGSL, opposite of ops/global_average_pool.ts. */

import type { TensorInfo } from "@tensorflow/tfjs-core";
import type { GlobalAveragePoolGradAttrs } from "../../ops/global_average_pool.ts";
import type { WebGpuBackend } from "../backend.ts";
import { program } from "../program.ts";
import { slicesOf } from "../slices.ts";
import forward from "../wgsl/global_average_pool.wgsl" with { type: "text" };
import backward from "../wgsl/global_average_pool_grad.wgsl" with { type: "text" };

const FORWARD = program("global average pool", forward);
const BACKWARD = program("global average pool, backward", backward);

/** `[N, H, W, C]` to `[N, C]`. */
export function globalAveragePoolKernel(
  backend: WebGpuBackend,
  { inputs: [x] }: { inputs: TensorInfo[] },
): TensorInfo[] {
  const [images, height, width, channels] = x.shape, y = backend.allocate([images, channels]);
  const from = { buffer: backend.buffer(x), values: height * width * channels };
  for (const { first, length, bind } of slicesOf(backend, { length: images, tensors: [from] })) {
    backend.run(FORWARD, {
      buffers: [bind(from), backend.buffer(y)],
      uniforms: { first, images: length, pixels: height * width, channels },
      invocations: length * channels,
    });
  }
  return [y];
}

/** `[N, C]` to `[N, H, W, C]`. */
export function globalAveragePoolGradKernel(
  backend: WebGpuBackend,
  { inputs: [dy], attrs: { shape } }: { inputs: TensorInfo[]; attrs: GlobalAveragePoolGradAttrs },
): TensorInfo[] {
  const [images, height, width, channels] = shape, dx = backend.allocate(shape);
  const to = { buffer: backend.buffer(dx), values: height * width * channels };
  for (const { first, length, bind } of slicesOf(backend, { length: images, tensors: [to] })) {
    backend.run(BACKWARD, {
      buffers: [backend.buffer(dy), bind(to)],
      uniforms: { first, images: length, pixels: height * width, channels },
      invocations: length * height * width * channels,
    });
  }
  return [dx];
}
