/** The global average pool in WGSL, opposite of ops/global_average_pool.ts. */

import type { TensorInfo } from "@tensorflow/tfjs-core";
import type { GlobalAveragePoolGradAttrs } from "../../ops/global_average_pool.ts";
import type { WebGpuBackend } from "../backend.ts";
import { program } from "../program.ts";
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
  backend.run(FORWARD, {
    buffers: [backend.buffer(x), backend.buffer(y)],
    uniforms: { images, pixels: height * width, channels },
    invocations: images * channels,
  });
  return [y];
}

/** `[N, C]` to `[N, H, W, C]`. */
export function globalAveragePoolGradKernel(
  backend: WebGpuBackend,
  { inputs: [dy], attrs: { shape } }: { inputs: TensorInfo[]; attrs: GlobalAveragePoolGradAttrs },
): TensorInfo[] {
  const [images, height, width, channels] = shape, dx = backend.allocate(shape);
  backend.run(BACKWARD, {
    buffers: [backend.buffer(dy), backend.buffer(dx)],
    uniforms: { images, pixels: height * width, channels },
    invocations: images * height * width * channels,
  });
  return [dx];
}
