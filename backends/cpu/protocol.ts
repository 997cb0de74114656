/**
 * The words that the calling thread and its workers share, apart from the kernels' memory.
 *
 * A job is a kernel, the address of its arguments, and a number of parts. Threads claim parts one by
 * one, so that an uneven machine stays busy; which thread runs a part never matters to its result. A
 * claim carries the job's generation: a worker that wakes late cannot take a part of a later job.
 */

/** Positions in the control words. */
export const Control = {
  /** Number of the current job; negative ends the workers. */
  generation: 0,
  kernel: 1,
  args: 2,
  parts: 3,
  /** Generation (upper 24 bits) and next part (lower 8). */
  claim: 4,
  /** Parts finished. */
  done: 5,
  /** 1 when a part failed. */
  failed: 6,
  /** Address of each thread's scratch. */
  scratch: 8,
} as const;

/** Most threads, and most parts of a job. */
export const MAX_THREADS = 64, MAX_PARTS = 128;
/** How often a worker looks for a job before it sleeps. */
export const SPINS = 20000;

const PART_BITS = 8;
/** The largest number of a job: a claim is a positive 32-bit word. */
export const LAST_GENERATION = (1 << (31 - PART_BITS)) - 1;

/** The number of the job after job `generation`: from 1, and from 1 again after the last. */
export function nextGeneration(generation: number): number {
  return generation % LAST_GENERATION + 1;
}

/** The claim word of a job's first part. */
export function firstClaim(generation: number): number {
  return generation << PART_BITS;
}

/** What a worker is sent once. */
export interface WorkerStart {
  module: WebAssembly.Module;
  memory: WebAssembly.Memory;
  control: SharedArrayBuffer;
  /** Its number, from 1; the calling thread is 0. */
  thread: number;
  /** Names of the kernels by their number. */
  kernels: readonly string[];
}

/** A kernel that threads run part by part. */
export type PartKernel = (args: number, scratch: number, part: number) => void;

/** Takes parts of job `generation` until none is left. */
export function runParts(
  control: Int32Array,
  kernel: PartKernel,
  { generation, thread }: { generation: number; thread: number },
): void {
  const args = control[Control.args], parts = Atomics.load(control, Control.parts);
  const scratch = control[Control.scratch + thread], first = firstClaim(generation);
  for (;;) {
    const claim = Atomics.load(control, Control.claim), part = claim - first;
    if (part < 0 || part >= parts) return;
    if (Atomics.compareExchange(control, Control.claim, claim, claim + 1) !== claim) continue;
    try {
      kernel(args, scratch, part);
    } catch {
      Atomics.store(control, Control.failed, 1);
    }
    Atomics.add(control, Control.done, 1);
  }
}
