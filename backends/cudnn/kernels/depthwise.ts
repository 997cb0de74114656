/** The depthwise part of a separable branch in CUDA, for the forward kernel and the gradient's. */

import type { BranchSpec } from "../../ops/branch_spec.ts";
import type { CudnnBackend } from "../backend.ts";
import source from "../cuda/depthwise.cu" with { type: "text" };
import values from "../cuda/values.cuh" with { type: "text" };
import type { CudaModule } from "../module.ts";
import type { ActivatedInput } from "./activation.ts";
import { launchEach } from "./launch_each.ts";
import { remembered, specialise } from "./specialise.ts";
import { type StoredForm, storedModules } from "./stored.ts";

/** Results of a thread; `STRIP` of cuda/depthwise.cu. */
const STRIP = 4;

/** A window and the size of its result. */
export type DepthwiseWindow = Pick<BranchSpec, "kernel" | "stride" | "dilation" | "output">;

const modulesOf = remembered((key: string) => {
  const [KERNEL, STRIDE, DILATION] = key.split(" ").map(Number);
  return storedModules(
    `depthwise convolution, kernel ${KERNEL} stride ${STRIDE} dilation ${DILATION}`,
    `${values}\n${specialise(source, { KERNEL, STRIDE, DILATION })}`,
  );
});

// Those of the search space are made at once: what a card has to compile is then known.
for (const stride of [1, 2]) {
  for (const kernel of [3, 5, 7]) modulesOf(`${kernel} ${stride} 1`);
  for (const kernel of [3, 5]) modulesOf(`${kernel} ${stride} 2`);
}

/** The kernels of a window, for an x kept in a form. */
export function depthwiseModule(
  { kernel, stride, dilation }: DepthwiseWindow,
  form: StoredForm = "floats",
): CudaModule {
  return modulesOf(`${kernel} ${stride} ${dilation}`)[form];
}

/** Strips of results of a number of images. */
export function stripsOf(images: number, { output: [height, width] }: DepthwiseWindow): number {
  return images * height * Math.ceil(width / STRIP);
}

/**
 * Computes y, `[N, OH, OW, C]`, from an input and a filter `[k, k, C, 1]`; the padding is of zeros, not
 * activated.
 *
 * @param turned Takes the filter turned by 180 degrees: at stride 1, the gradient by input.
 * @param add Adds to y.
 */
export function runDepthwise(
  backend: CudnnBackend,
  { input: { x, form, affine, relu, shape }, filter, y, window, turned = false, add = false }: {
    input: ActivatedInput;
    filter: bigint;
    y: bigint;
    window: DepthwiseWindow;
    turned?: boolean;
    add?: boolean;
  },
): void {
  const [images, height, width, channels] = shape, [outHeight, outWidth] = window.output;
  const items = stripsOf(images, window) * channels;
  launchEach(backend, depthwiseModule(window, form).kernel("depthwise"), {
    threads: items,
    arguments: {
      x,
      affine,
      filter,
      y,
      items,
      height,
      width,
      channels,
      outHeight,
      outWidth,
      relu: Number(relu),
      turned: Number(turned),
      add: Number(add),
    },
  });
}
