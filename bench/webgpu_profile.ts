/**
 * Where a step of the supernet goes on WebGPU: `deno task bench:profile --backend=webgpu`.
 *
 * A step's calls of our programs are recorded; then the calls of each program are run again, all in one
 * go on the tensors that they had, and the time until the device has done them is taken. So the times
 * hold for adapters without timestamps, and leave out what a dispatch waits for. What is left of the
 * step is the host's work and tfjs's own programs, which are counted.
 *
 * Options: --adapter high-performance --batch 16 --layers 5 --channels 16 --steps 3. Prints a table for
 * a weight and an alpha step, and writes bench/results/webgpu_profile_<date>.json.
 */

import { startWebGpuBackend, WEBGPU_BACKEND, WebGpuBackend } from "../backends/webgpu/backend.ts";
import { type AdapterChoice, openDevice } from "../backends/webgpu/device.ts";
