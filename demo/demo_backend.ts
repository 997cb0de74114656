/**
 * Starts a backend in a page's worker: WebGPU on a GPU, else the CPU's kernels, on several threads where
 * the page is isolated from other origins, which alone gives it shared memory.
 */

import { startOnKernels } from "../backends/cpu/backend.ts";
import { hasRelaxedSimd } from "../backends/cpu/variants.ts";
import { type Backend, BackendError } from "../backends/contract.ts";
import { startWebGpuBackend } from "../backends/webgpu/backend.ts";
import { describeAdapter, requestAdapter } from "../backends/webgpu/device.ts";
import { KERNEL_PAGES, kernelFileName } from "./kernel_files.ts";

/** The backends that a visitor may choose. */
export const BACKEND_CHOICES = ["auto", "webgpu", "cpu"] as const;
/** One of {@linkcode BACKEND_CHOICES}. */
export type BackendChoice = typeof BACKEND_CHOICES[number];

/** A started backend, and what a visitor should know about it. */
export interface DemoBackend {
  readonly backend: Backend;
  /** Sentences: why not another backend, why one thread. */
  readonly notes: readonly string[];
}

/** More threads wait for one another longer than they gain, on networks this small. */
const MOST_THREADS = 8;

/**
 * Starts a backend and makes it tfjs's current one.
 *
 * @throws {BackendError} If it cannot start.
 */
export async function startDemoBackend(choice: BackendChoice): Promise<DemoBackend> {
  if (choice === "cpu") return await startCpu();
  if (choice === "webgpu") return { backend: await startWebGpuBackend(), notes: [] };
  const against = await reasonAgainstWebGpu();
  if (!against) return { backend: await startWebGpuBackend(), notes: [] };
  const { backend, notes } = await startCpu();
  return { backend, notes: [`Not on WebGPU: ${against}.`, ...notes] };
}

/** Why WebGPU would be no gain, or cannot start. */
async function reasonAgainstWebGpu(): Promise<string | undefined> {
  try {
    const { name, software } = describeAdapter(await requestAdapter("high-performance"));
    return software ? `its adapter, ${name}, is software` : undefined;
  } catch {
    return "this browser has none, or finds no GPU for it";
  }
}

async function startCpu(): Promise<DemoBackend> {
  const shared = crossOriginIsolated, relaxed = hasRelaxedSimd();
  const file = new URL(kernelFileName({ relaxed, shared }), import.meta.url);
  const module = await WebAssembly.compileStreaming(fetch(file)).catch((error: Error) => {
    throw new BackendError("cpu", `Cannot load the CPU kernels: ${error.message}`);
  });
  const memory = new WebAssembly.Memory({ initial: KERNEL_PAGES, maximum: KERNEL_PAGES, shared });
  const backend = await startOnKernels({
    kernels: { module, relaxed, wide: false },
    memory,
    worker: new URL("thread.js", import.meta.url),
  }, { threads: shared ? Math.min(navigator.hardwareConcurrency, MOST_THREADS) : 1 });
  return { backend, notes: shared ? [] : [ONE_THREAD] };
}

const ONE_THREAD =
  "On one thread: this host does not isolate the page from other origins (headers " +
  "Cross-Origin-Opener-Policy and Cross-Origin-Embedder-Policy), which shared memory needs.";
