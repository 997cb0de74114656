/**
 * Finds NVIDIA's libraries and checks their files, before any is opened: cuDNN ends the process, past
 * any `try`, when it misses a part of itself.
 *
 * Looked through are, in this order, `PDARTS_CUDNN_PATH` and `PDARTS_CUDA_PATH`, pip's packages, the
 * loader's folders, and CUDA's. The driver comes with the system, or from `PDARTS_CUDA_PATH` for tests.
 */

import { ELF_HEADER_BYTES, isLibraryFor } from "./elf.ts";
import type { LibraryFiles, Toolkit } from "./open.ts";
import { loaderPlaces, namedPlaces, type Place, placesOf } from "./places.ts";
import type { System } from "./system.ts";

/** A library that was found. */
export interface FoundLibrary {
  /** Such as `libcudnn.so.9`. */
  readonly library: string;
  /** Its file, without links. */
  readonly path: string;
  /** What named its folder. */
  readonly from: string;
}

/** What was found, and either the files to open or one sentence: what is missing, what to install. */
export type Discovery =
  & { readonly found: readonly FoundLibrary[] }
  & (
    | { readonly files: LibraryFiles; readonly problem?: undefined }
    | { readonly files?: undefined; readonly problem: string }
  );

/** Versions of CUDA that the backend runs on, and pip's packages of their libraries. */
const TOOLKITS = [
  {
    major: 13,
    packages: { cudnn: "nvidia-cudnn-cu13", cublas: "nvidia-cublas", nvrtc: "nvidia-cuda-nvrtc" },
  },
  {
    major: 12,
    packages: {
      cudnn: "nvidia-cudnn-cu12",
      cublas: "nvidia-cublas-cu12",
      nvrtc: "nvidia-cuda-nvrtc-cu12",
    },
  },
] as const;

/** Versions too old for the backend, to be named where nothing better is found. */
const TOO_OLD = ["libcudnn.so.8", "libcudnn.so.7", "libcublas.so.11", "libcublas.so.10"];

/** Systems that lack the backend, as people call them. */
const SYSTEMS: Readonly<Record<string, string>> = { darwin: "macOS", windows: "Windows" };

/** What a search has come across. */
interface Search {
  readonly system: System;
  readonly found: FoundLibrary[];
  /** Clauses about files that cannot be used. */
  readonly unusable: string[];
}

/** Looks for all libraries. */
export function discover(system: System): Discovery {
  if (system.os !== "linux") {
    const os = SYSTEMS[system.os] ?? system.os;
    const problem = `Cannot use cudnn on ${os}: it runs on Linux alone; use --backend=webgpu`;
    return { found: [], problem };
  }
  const search: Search = { system, found: [], unusable: [] };
  const own = namedPlaces(system, "PDARTS_CUDA_PATH");
  const ownCudnn = namedPlaces(system, "PDARTS_CUDNN_PATH");
  const places = [...own, ...placesOf(system)];
  const cuda = find(search, [...own, ...loaderPlaces(system)], "libcuda.so.1");
  // A cuDNN that was named is meant: no other takes its place.
  const cudnn = find(
    search,
    ownCudnn.length > 0 ? ownCudnn : places,
    "libcudnn.so.9",
    missingPart,
  );
  const toolkits = TOOLKITS.map(({ major }) => findToolkit(search, places, major));
  const whole = toolkits.filter(isWhole), { found } = search;
  if (cuda && cudnn && whole.length > 0) return { found, files: { cuda, cudnn, toolkits: whole } };
  const partial = whole[0] ?? toolkits.find(({ cublas, nvrtc }) => cublas ?? nvrtc) ?? toolkits[0];
  return { found, problem: problemOf(search, places, { ...partial, cuda, cudnn }) };
}

/** The first usable file of this name. */
function find(
  { system, found, unusable }: Search,
  places: readonly Place[],
  library: string,
  flawOf: (system: System, path: string) => string | undefined = () => undefined,
): string | undefined {
  for (const { folder, from } of places) {
    const path = system.realPath(`${folder}/${library}`);
    if (path === undefined) continue;
    const fits = isLibraryFor(system.arch, system.read(path, ELF_HEADER_BYTES) ?? new Uint8Array());
    const flaw = fits ? flawOf(system, path) : `is no library for ${system.arch}`;
    if (flaw === undefined) {
      found.push({ library, path, from });
      return path;
    }
    unusable.push(`${path} ${flaw}`);
  }
}

/** cuDNN 9 is in parts, which its first file names and looks for in its own folder. */
function missingPart(system: System, path: string): string | undefined {
  const text = new TextDecoder("latin1").decode(system.read(path));
  const parts = new Set([...text.matchAll(/libcudnn_\w+\.so\b/g)].map(([name]) => `${name}.9`));
  const missing = [...parts].find((part) => !system.realPath(`${folderOf(path)}/${part}`));
  return missing && `lacks ${missing} beside it`;
}

/** cuBLAS and NVRTC of one version of CUDA, those that are there. */
type FoundToolkit = Omit<Toolkit, "cublas" | "nvrtc"> & { cublas?: string; nvrtc?: string };

function isWhole(toolkit: FoundToolkit): toolkit is Toolkit {
  return toolkit.cublas !== undefined && toolkit.nvrtc !== undefined;
}

/** Each with what must be open before it in its own folder. */
function findToolkit(search: Search, places: readonly Place[], major: number): FoundToolkit {
  const light = `libcublasLt.so.${major}`, builtins = `libnvrtc-builtins.so.${major}.`;
  const beside = (system: System, path: string, name: string) =>
    system.list(folderOf(path)).filter((file) => file.startsWith(name))
      .map((file) => `${folderOf(path)}/${file}`);
  const needs = (name: string) => (system: System, path: string) =>
    beside(system, path, name).length === 0 ? `lacks ${name} beside it` : undefined;
  const cublas = find(search, places, `libcublas.so.${major}`, needs(light));
  const nvrtc = find(search, places, `libnvrtc.so.${major}`, needs(builtins));
  const before = [
    ...(cublas ? [`${folderOf(cublas)}/${light}`] : []),
    ...(nvrtc ? beside(search.system, nvrtc, builtins) : []),
  ];
  return { major, cublas, nvrtc, before };
}

/** One sentence: what is missing or unusable, and what to install. */
function problemOf(
  search: Search,
  places: readonly Place[],
  have: FoundToolkit & { cuda?: string; cudnn?: string },
): string {
  const { major, cuda, cudnn, cublas, nvrtc } = have;
  const { packages } = TOOLKITS.find((toolkit) => toolkit.major === major) ?? TOOLKITS[0];
  const missing = [
    ...(cuda ? [] : ["libcuda.so.1"]),
    ...(cudnn ? [] : ["libcudnn.so.9"]),
    ...(cublas ? [] : [`libcublas.so.${major}`]),
    ...(nvrtc ? [] : [`libnvrtc.so.${major}`]),
  ];
  const wanted = [
    ...(cudnn ? [] : [packages.cudnn]),
    ...(cublas ? [] : [packages.cublas]),
    ...(nvrtc ? [] : [packages.nvrtc]),
  ];
  const install = [
    ...(cuda ? [] : ["install NVIDIA's driver"]),
    ...(wanted.length > 0 ? [`pip install ${wanted.join(" ")}`] : []),
  ];
  const old = TOO_OLD.map((name) => find({ ...search, found: [] }, places, name)).find(Boolean);
  const clauses = [
    `found no ${missing.join(", ")}`,
    ...search.unusable,
    ...(old ? [`${old} is too old`] : []),
    ...(search.system.limited ? ["not all folders may be read without --allow-read"] : []),
  ];
  return `Cannot use cudnn: ${clauses.join("; ")}; ${install.join(", and ")}`;
}

function folderOf(path: string): string {
  return path.replace(/\/[^/]*$/, "");
}
