/**
 * Compiles the AssemblyScript kernels in this process, once per content: the binary is kept in a cache
 * folder under the digest of the sources, the tiles written by `wasm/tiles.ts` and the compiler's
 * version and options. Without a writable cache the kernels are compiled again each time (about 3 s).
 */

import { BackendError } from "../contract.ts";
import { joinsVectors } from "./v8_flags.ts";
import { type CompiledKernels, hasRelaxedSimd, MAX_PAGES, type Variant } from "./variants.ts";
import { layoutsModule } from "./wasm/layouts.ts";
import { tilesModule } from "./wasm/tiles.ts";

const COMPILER = "assemblyscript 0.28.20";
const SOURCES = [
  "main",
  "simd",
  "pointwise",
  "depthwise",
  "images",
  "convolution",
  "pooling",
  "branches",
  "normalised_sum",
  "mask",
  "elementwise",
  "mat_mul",
  "small",
  "roof",
];
/** Tiles are written in the order in which they run best: at higher levels the optimiser moves them. */
const OPTIMIZATION = "-O1";

/** The memory that kernels are for; they bear no other. */
interface KernelMemory {
  /** Its size. */
  pages: number;
  /** Whether threads share it. */
  shared: boolean;
}

/**
 * Compiles the kernels, or takes them from the cache.
 *
 * @param cacheDir Folder for binaries; made if need be.
 * @param options.relaxed False to leave relaxed SIMD out, for the same bits on every machine; by
 * default it is used where the engine has it.
 * @param options.wide Whether tiles are for an engine that joins vectors; by default as it does.
 * @param options.pages Size of the memory the kernels are for; they bear no other.
 * @throws {BackendError} If the compiler refuses the sources.
 */
export async function compileKernels(
  cacheDir: string,
  { relaxed = hasRelaxedSimd(), wide = joinsVectors(), pages = MAX_PAGES }:
    & Partial<Variant>
    & { pages?: number } = {},
): Promise<CompiledKernels> {
  const files = sources({ relaxed, wide }), options = compilerOptions({ pages, shared: true });
  const path = await binaryPath(cacheDir, { files, options });
  let binary = await readIfThere(path);
  if (!binary) {
    binary = await compile(files, options);
    await writeIfPossible(path, binary);
  }
  return { module: await WebAssembly.compile(binary as BufferSource), relaxed, wide };
}

/**
 * Compiles kernels for another engine than this one.
 *
 * @param memory Pages of the memory they are for, and whether it is shared.
 * @throws {BackendError} If the compiler refuses the sources.
 */
export function kernelBinary(
  variant: Variant,
  memory: KernelMemory,
): Promise<Uint8Array<ArrayBuffer>> {
  return compile(sources(variant), compilerOptions(memory));
}

/** Where the cache has the kernels of today's sources, whether they are there or not. */
export function cachedKernels(cacheDir: string, variant: Variant): Promise<string> {
  const options = compilerOptions({ pages: MAX_PAGES, shared: true });
  return binaryPath(cacheDir, { files: sources(variant), options });
}

function sources({ relaxed, wide }: Variant): Map<string, string> {
  const files = new Map<string, string>();
  for (const name of SOURCES) {
    files.set(
      `${name}.as.ts`,
      Deno.readTextFileSync(new URL(`wasm/${name}.as.ts`, import.meta.url)),
    );
  }
  files.set("layouts.as.ts", layoutsModule());
  files.set("tiles.as.ts", tilesModule());
  files.set(
    "config.as.ts",
    `export const RELAXED: bool = ${relaxed};\nexport const WIDE: bool = ${wide};\n`,
  );
  return files;
}

function compilerOptions({ pages, shared }: KernelMemory): string[] {
  return [
    ...[OPTIMIZATION, "--noAssert", "--runtime", "stub"],
    ...["simd", "relaxed-simd", "threads"].flatMap((feature) => ["--enable", feature]),
    ...["--importMemory", ...(shared ? ["--sharedMemory"] : [])],
    // A memory that cannot grow: its size, which every load is checked against, stays in a register.
    ...["--initialMemory", String(pages), "--maximumMemory", String(pages)],
  ];
}

async function binaryPath(
  cacheDir: string,
  { files, options }: { files: Map<string, string>; options: string[] },
): Promise<string> {
  const text = [COMPILER, ...options, ...[...files].flat()].join("\n");
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  const digest = [...new Uint8Array(hash).subarray(0, 12)]
    .map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${cacheDir}/kernels-${digest}.wasm`;
}

async function compile(
  files: Map<string, string>,
  options: string[],
): Promise<Uint8Array<ArrayBuffer>> {
  const asc = (await import("assemblyscript/asc")).default;
  let binary: Uint8Array<ArrayBuffer> | undefined;
  const { error, stderr } = await asc.main(
    ["main.as.ts", "--outFile", "main.wasm", ...options],
    {
      readFile: (name) => files.get(name) ?? null,
      writeFile: (_name, contents) => {
        if (typeof contents !== "string") binary = contents as Uint8Array<ArrayBuffer>;
      },
      listFiles: () => [],
    },
  );
  if (error || !binary) {
    throw new BackendError(
      "cpu",
      `Cannot compile the CPU kernels: ${stderr.toString() || error?.message}`,
    );
  }
  return binary;
}

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    const binary = await Deno.readFile(path);
    return WebAssembly.validate(binary as BufferSource) ? binary : undefined;
  } catch {
    return undefined;
  }
}

/** Renames into place, so that another process never reads half a binary. */
async function writeIfPossible(path: string, binary: Uint8Array): Promise<void> {
  const draft = `${path}.${crypto.randomUUID()}`;
  try {
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await Deno.writeFile(draft, binary);
    await Deno.rename(draft, path);
  } catch {
    // The cache is an economy: a folder that cannot be written costs a compilation at each start.
    await Deno.remove(draft).catch(() => {});
  }
}
