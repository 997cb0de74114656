/** Kernels that have a thread for each result. */

import type { CudnnBackend } from "../backend.ts";
import type { KernelArguments } from "../arguments.ts";
import type { CudaKernel } from "../module.ts";

/** Threads of a block of such a kernel. */
const THREADS = 256;

/** Launches a kernel on so many threads, and some more that it must send home. */
export function launchEach(
  backend: CudnnBackend,
  kernel: CudaKernel,
  call: { threads: number; arguments: KernelArguments },
): void {
  backend.launch(kernel, {
    blocks: Math.ceil(call.threads / THREADS),
    threads: THREADS,
    arguments: call.arguments,
  });
}
