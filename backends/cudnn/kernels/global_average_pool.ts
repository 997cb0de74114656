/** The global average pool in CUDA, opposite of ops/global_average_pool.ts. */

import { type TensorInfo, util } from "@tensorflow/tfjs-core";
import type { GlobalAveragePoolGradAttrs } from "../../ops/global_average_pool.ts";
import type { CudnnBackend } from "../backend.ts";
import source from "../cuda/global_average_pool.cu" with { type: "text" };
import { cudaModule } from "../module.ts";
import { launchEach } from "./launch_each.ts";

const MODULE = cudaModule("global average pool", source);
const FORWARD = MODULE.kernel("globalAveragePool");
const BACKWARD = MODULE.kernel("globalAveragePoolGrad");

/** `[N, H, W, C]` to `[N, C]`. */
export function globalAveragePoolKernel(
  backend: CudnnBackend,
  { inputs: [x] }: { inputs: TensorInfo[] },
): TensorInfo[] {
  const [images, height, width, channels] = x.shape, y = backend.allocate([images, channels]);
  launchEach(backend, FORWARD, {
    threads: images * channels,
    arguments: {
      x: backend.address(x),
      y: backend.address(y),
      images,
      pixels: height * width,
      channels,
    },
  });
  return [y];
}

/** `[N, C]` to `[N, H, W, C]`. */
export function globalAveragePoolGradKernel(
  backend: CudnnBackend,
  { inputs: [dy], attrs: { shape } }: { inputs: TensorInfo[]; attrs: GlobalAveragePoolGradAttrs },
): TensorInfo[] {
  const [, height, width, channels] = shape, dx = backend.allocate(shape);
  const elements = util.sizeFromShape(shape);
  launchEach(backend, BACKWARD, {
    threads: elements,
    arguments: {
      dy: backend.address(dy),
      dx: backend.address(dx),
      elements,
      pixels: height * width,
      channels,
    },
  });
  return [dx];
}
