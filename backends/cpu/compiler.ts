/**
 * Compiles the AssemblyScript kernels in this process, once per content: the binary is kept in a cache
 * folder under the digest of the sources, the tiles written by `wasm/tiles.ts` and the compiler's
 * version and options. Without a writable cache the kernels are compiled again each time (about 3 s).
 */

import { BackendError } from "../contract.ts";
import { joinsVectors } from "./v8_flags.ts";
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
/** Pages of 64 KB: all that 32 bits address. */
export const MAX_PAGES = 65536;
/** Tiles are written in the order in which they run best: at higher levels the optimiser moves them. */
const OPTIMIZATION = "-O1";

/** What tells kernels apart; the bits of their results depend on `relaxed` alone. */
interface Variant {
  /** Whether they use relaxed SIMD's fused multiply-add. */
  relaxed: boolean;
  /** Whether their tiles are for an engine that joins vectors: see {@linkcode joinsVectors}. */
  wide: boolean;
}

/** The compiled kernels. */
export interface CompiledKernels extends Variant {
  module: WebAssembly.Module;
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
  const files = sources({ relaxed, wide }), options = compilerOptions(pages);
  const path = await binaryPath(cacheDir, { files, options });
  let binary = await readIfThere(path);
  if (!binary) {
    binary = await compile(files, options);
    await writeIfPossible(path, binary);
  }
  return { module: await WebAssembly.compile(binary as BufferSource), relaxed, wide };
}

/** Where the cache has the kernels of today's sources, whether they are there or not. */
export function cachedKernels(cacheDir: string, variant: Variant): Promise<string> {
  return binaryPath(cacheDir, { files: sources(variant), options: compilerOptions(MAX_PAGES) });
}

/** True when the engine accepts a module that uses relaxed SIMD. */
export function hasRelaxedSimd(): boolean {
  // (func (result v128) (f32x4.relaxed_madd (three zero vectors)))
  const zero = [0xfd, 0x0c, ...new Array(16).fill(0)];
  const body = [0, ...zero, ...zero, ...zero, 0xfd, 0x85, 0x02, 0x0b];
  return WebAssembly.validate(Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...[1, 5, 1, 0x60, 0, 1, 0x7b],
    ...[3, 2, 1, 0],
    ...[10, body.length + 2, 1, body.length],
    ...body,
  ]));
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

function compilerOptions(pages: number): string[] {
  return [
    ...[OPTIMIZATION, "--noAssert", "--runtime", "stub"],
    ...["simd", "relaxed-simd", "threads"].flatMap((feature) => ["--enable", feature]),
    ...["--importMemory", "--sharedMemory"],
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

async function compile(files: Map<string, string>, options: string[]): Promise<Uint8Array> {
  const asc = (await import("assemblyscript/asc")).default;
  let binary: Uint8Array | undefined;
  const { error, stderr } = await asc.main(
    ["main.as.ts", "--outFile", "main.wasm", ...options],
    {
      readFile: (name) => files.get(name) ?? null,
      writeFile: (_name, contents) => {
        if (typeof contents !== "string") binary = contents;
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
