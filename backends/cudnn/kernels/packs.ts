/**
 * Kernels over lists of small things, such as the batch norms of a state's branches, eight a launch: a
 * launch costs more than the work of one.
 *
 * In the CUDA C of such a kernel, what stands between the lines `// each` and `// end` is repeated with
 * the numbers 0 to 7 in place of `#`, and blocks of row y of the grid work on thing number y. Arguments
 * go by value, so that a captured launch needs no table in memory.
 */

import type { KernelArguments } from "../arguments.ts";
import type { CudnnBackend } from "../backend.ts";
import type { CudaKernel } from "../module.ts";

/** Things of a launch at most. */
export const PACK = 8;

const EACH = /^[ ]*\/\/ each\n([^]*?)^[ ]*\/\/ end\n/gm;

/** The text with its repetitions; the comma that ends a list of parameters is dropped. */
export function repeated(source: string): string {
  const numbers = Array.from({ length: PACK }, (_, number) => String(number));
  return source
    .replace(EACH, (_, part) => numbers.map((number) => part.replaceAll("#", number)).join(""))
    .replace(/,\s*\)/g, ")");
}

/** Launches a kernel on all things of a list. */
export function launchPacks(
  backend: CudnnBackend,
  kernel: CudaKernel,
  { things, blocks, threads }: {
    /** The arguments of each, without the `#` of their names. */
    things: readonly KernelArguments[];
    /** Blocks that the largest of them takes. */
    blocks: number;
    threads: number;
  },
): void {
  for (let first = 0; first < things.length; first += PACK) {
    const count = Math.min(PACK, things.length - first);
    // No block works on the places that are left over.
    const numbered = Array.from({ length: PACK }, (_, number) => {
      const thing = things[first + Math.min(number, count - 1)];
      return Object.entries(thing).map(([name, value]) => [`${name}${number}`, value] as const);
    });
    backend.launch(kernel, {
      blocks: [blocks, count, 1],
      threads,
      arguments: Object.fromEntries(numbered.flat()),
    });
  }
}
