/** Measures the machine's roofs on the backend's own threads. */

import type { CpuBackend } from "./backend.ts";
import { WorkBlocks, writeRecords } from "./records.ts";
import { ElementwiseCall, layoutBytes } from "./wasm/layouts.ts";

/** Parts, and multiply-adds of a part, of roof.as.ts. */
const PARTS = 32, MULTIPLY_ADDS = 2400000 * 4;
/** Floats copied: 64 MB, beyond any cache. */
const COPIED = 16 * 1024 * 1024;
const REPEATS = 5;

/** The best of a few runs. */
export interface Roofs {
  /** 10^9 operations a second, a multiply-add counted as two. */
  gflops: number;
  /** 10^9 bytes a second, read and written bytes both counted. */
  gigabytes: number;
}

/** Runs both roofs on all threads. */
export function measureRoofs(backend: CpuBackend): Roofs {
  using work = new WorkBlocks(backend.arena);
  const from = work.take(4 * COPIED), to = work.take(4 * COPIED);
  backend.arena.floats(from, COPIED).fill(1);
  const args = work.take(layoutBytes(ElementwiseCall));
  writeRecords(backend.arena, args, {
    layout: ElementwiseCall,
    records: [{ a: from, b: from, out: to, elements: COPIED, parts: PARTS }],
  });
  const best = (kernel: string) => {
    let milliseconds = Infinity;
    for (let repeat = 0; repeat < REPEATS; repeat++) {
      const start = performance.now();
      backend.threads.run(kernel, args, { parts: PARTS, scratchBytes: 256 });
      milliseconds = Math.min(milliseconds, performance.now() - start);
    }
    return milliseconds;
  };
  return {
    gflops: 2 * PARTS * MULTIPLY_ADDS / best("multiplyAddRoof") / 1e6,
    gigabytes: 8 * COPIED / best("copyRoof") / 1e6,
  };
}
