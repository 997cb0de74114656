/**
 * Compiles the CUDA emulator: stand-ins for libcuda, libcudnn, libcublas and libnvrtc that compute on the
 * CPU, against NVIDIA's real headers. `deno task test:cudnn:emulator` runs this; it needs g++.
 *
 * The result is a folder of libraries with the names of the real ones, so that discovery finds them with
 * `PDARTS_CUDA_PATH` and `PDARTS_CUDNN_PATH`. The kernels that the emulated NVRTC compiles are kept in it.
 */

import { createHash } from "node:crypto";
import { NVIDIA_INCLUDES } from "../backends/cudnn/nvidia.ts";

/** Where the libraries are. */
export const EMULATOR_FOLDER = ".cache/cuda_emulator";

const SOURCES = "tests/cuda_emulator";
/** Of the result: the digest of the sources it was built from. */
const DIGEST_FILE = "sources.sha256";

const FLAGS = [
  ...["-std=c++17", "-O2", "-march=native", "-fPIC", "-shared", "-Wall", "-Wextra", "-Werror"],
  "-Wno-deprecated-declarations", // cuDNN's convolutions without graphs
];

/** What each library is made of; those behind the first need it. */
const LIBRARIES = {
  "libcuda.so.1": ["driver/*", "nvrtc/compile.cpp"],
  "libcudnn.so.9": ["cudnn/*"],
  "libcublas.so.13": ["cublas/*"],
  "libnvrtc.so.13": ["nvrtc/*"],
};

/** Libraries that only have to be there. */
const EMPTY_LIBRARIES = ["libcublasLt.so.13", "libnvrtc-builtins.so.13.0"];

/** Files of one of the sources' folders, sorted. */
function filesOf(folder: string): string[] {
  return [...Deno.readDirSync(`${SOURCES}/${folder}`)].map(({ name }) => `${folder}/${name}`)
    .sort();
}

/** Tells builds of different sources apart. */
function sourcesDigest(): string {
  const hash = createHash("sha256").update(Deno.readTextFileSync(`${SOURCES}/build.ts`));
  for (const file of ["cublas", "cudnn", "driver", "nvrtc", "shim"].flatMap(filesOf)) {
    hash.update(`${file}\n`).update(Deno.readTextFileSync(`${SOURCES}/${file}`));
  }
  return hash.digest("hex");
}

/** Whether the folder holds what these sources make. */
export function isEmulatorBuilt(): boolean {
  try {
    return Deno.readTextFileSync(`${EMULATOR_FOLDER}/${DIGEST_FILE}`) === sourcesDigest();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** The paths that a pattern such as `driver/*` names. */
function expand(pattern: string): string[] {
  const files = pattern.endsWith("/*") ? filesOf(pattern.slice(0, -2)) : [pattern];
  return files.filter((file) => file.endsWith(".cpp")).map((file) => `${SOURCES}/${file}`);
}

async function compile(options: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("g++", { args: options, stderr: "piped" })
    .output();
  if (!success) {
    throw new Error(`Cannot compile the emulator:\n${new TextDecoder().decode(stderr)}`);
  }
}

async function compileLibrary(folder: string, name: keyof typeof LIBRARIES): Promise<void> {
  const isDriver = name === "libcuda.so.1";
  await compile([
    ...FLAGS,
    ...NVIDIA_INCLUDES.map((path) => `-isystem${path}`),
    ...LIBRARIES[name].flatMap(expand),
    `-Wl,-soname,${name}`,
    ...(isDriver ? [] : [`-L${folder}`, "-l:libcuda.so.1", "-Wl,-rpath,$ORIGIN"]),
    ...["-o", `${folder}/${name}`],
  ]);
}

/**
 * Builds the emulator unless it is there.
 *
 * @throws {Error} If g++ refuses, with its words.
 */
export async function buildEmulator(): Promise<void> {
  if (isEmulatorBuilt()) return;
  const folder = `${EMULATOR_FOLDER}-${crypto.randomUUID()}`;
  await Deno.mkdir(`${folder}/shim`, { recursive: true });
  await compileLibrary(folder, "libcuda.so.1");
  await Promise.all([
    compileLibrary(folder, "libcudnn.so.9"),
    compileLibrary(folder, "libcublas.so.13"),
    compileLibrary(folder, "libnvrtc.so.13"),
    ...EMPTY_LIBRARIES.map((name) =>
      compile(["-shared", "-x", "c++", "/dev/null", "-o", `${folder}/${name}`])
    ),
    ...filesOf("shim").map((file) => Deno.copyFile(`${SOURCES}/${file}`, `${folder}/${file}`)),
  ]);
  await Deno.writeTextFile(`${folder}/${DIGEST_FILE}`, sourcesDigest());
  await Deno.remove(EMULATOR_FOLDER, { recursive: true }).catch(() => {});
  await Deno.rename(folder, EMULATOR_FOLDER);
}

if (import.meta.main) await buildEmulator();
