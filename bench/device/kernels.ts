/**
 * Times the kernels of a training step one by one: prints a line of JSON. A part of `deno task gpu:check`.
 *
 * Options: --backend=cudnn (or webgpu) --batch=96 --layers=5 --channels=16 --steps=3.
 */

import { parseArgs } from "deno-std/cli/parse_args.js";

const options = parseArgs(Deno.args, {
  string: ["backend", "batch", "layers", "channels", "steps"],
  default: { backend: "cudnn", batch: "96", layers: "5", channels: "16", steps: "3" },
});
const shape = {
  batch: Number(options.batch),
  layers: Number(options.layers),
  channels: Number(options.channels),
  steps: Number(options.steps),
};

async function measure(): Promise<object> {
  if (options.backend === "webgpu") {
    return await (await import("../webgpu_profile.ts")).measureOnWebGpu(shape);
  }
  return await (await import("../cudnn_profile.ts")).measureOnCudnn(shape);
}

console.log(JSON.stringify(await measure()));
Deno.exit(0);
