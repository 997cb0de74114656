/** The global average pool on the CPU, forward and backward. Opposite of ops/global_average_pool.ts. */

import type { TensorInfo } from "@tensorflow/tfjs-core";
import type { GlobalAveragePoolGradAttrs } from "../../ops/global_average_pool.ts";
import type { CpuBackend } from "../backend.ts";
import { partsOf } from "../parts.ts";
import { WorkBlocks, writeRecords } from "../records.ts";
import { layoutBytes, PoolCall } from "../wasm/layouts.ts";

/** Averages [N, H, W, C] to [N, C]. */
export function globalAveragePoolKernel(
  backend: CpuBackend,
  { inputs: [x] }: { inputs: TensorInfo[] },
): TensorInfo[] {
  const y = backend.allocate([x.shape[0], x.shape[3]]);
  run(backend, "globalAverageForward", { x, y, shape: x.shape });
  return [y];
}

/** Spreads the gradient [N, C] over [N, H, W, C]. */
export function globalAveragePoolGradKernel(
  backend: CpuBackend,
  { inputs: [y], attrs: { shape } }: { inputs: TensorInfo[]; attrs: GlobalAveragePoolGradAttrs },
): TensorInfo[] {
  const x = backend.allocate(shape);
  run(backend, "globalAverageBackward", { x, y, shape });
  return [x];
}

function run(
  backend: CpuBackend,
  kernel: string,
  { x, y, shape }: { x: TensorInfo; y: TensorInfo; shape: number[] },
): void {
  const [images, height, width, channels] = shape, parts = partsOf(images);
  using work = new WorkBlocks(backend.arena);
  const args = work.take(layoutBytes(PoolCall));
  const call = {
    x: backend.address(x),
    y: backend.address(y),
    images,
    parts,
    pixels: height * width,
    channels,
  };
  writeRecords(backend.arena, args, { layout: PoolCall, records: [call] });
  const elements = images * height * width * channels;
  backend.run(kernel, args, {
    parts,
    work: () => ({ label: "global average pool", flops: elements, bytes: 4 * elements }),
  });
}
