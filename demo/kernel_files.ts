/** The CPU kernels' binaries as the page's files: `build.ts` writes them, `demo_backend.ts` takes one. */

/** Pages of the kernels' memory: 512 MB, of which the demo's search touches a fifth. */
export const KERNEL_PAGES = 8192;

/** What tells the files apart. */
export interface KernelFile {
  /** Whether the engine has relaxed SIMD. */
  readonly relaxed: boolean;
  /** Whether threads share the memory. */
  readonly shared: boolean;
}

/** All of them. */
export const KERNEL_FILES: readonly KernelFile[] = [true, false].flatMap((relaxed) =>
  [true, false].map((shared) => ({ relaxed, shared }))
);

/** A file's name. */
export function kernelFileName({ relaxed, shared }: KernelFile): string {
  return `kernels_${relaxed ? "relaxed" : "plain"}_${shared ? "threads" : "single"}.wasm`;
}
