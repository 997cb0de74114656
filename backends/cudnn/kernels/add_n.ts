/** tfjs's AddN in CUDA, eight tensors a launch. */

import { type TensorInfo, util } from "@tensorflow/tfjs-core";
import type { CudnnBackend } from "../backend.ts";
import source from "../cuda/add_n.cu" with { type: "text" };
import { cudaModule } from "../module.ts";
import { launchEach } from "./launch_each.ts";

const ADD_N = cudaModule("sum of tensors", source).kernel("addN");
/** Inputs of a launch. */
const MOST = 8;

/** Adds tensors of one shape, or returns undefined where they are not float32. */
export function addNKernel(
  backend: CudnnBackend,
  { inputs }: { inputs: TensorInfo[] },
): TensorInfo | undefined {
  if (inputs.some(({ dtype }) => dtype !== "float32")) return undefined;
  const { shape } = inputs[0], elements = util.sizeFromShape(shape);
  const result = backend.allocate(shape), sum = backend.address(result);
  const all = inputs.map((info) => backend.address(info));
  for (let next = 0; next < all.length;) {
    // What was added so far is the first of the next launch.
    const some = next === 0 ? all.slice(0, MOST) : [sum, ...all.slice(next, next + MOST - 1)];
    next += next === 0 ? some.length : some.length - 1;
    const inputs = Object.fromEntries(
      Array.from({ length: MOST }, (_, index) => [`x${index}`, some[index] ?? some[0]]),
    );
    launchEach(backend, ADD_N, {
      threads: elements,
      arguments: { ...inputs, sum, elements, count: some.length },
    });
  }
  return result;
}
