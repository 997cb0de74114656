/** The folders that may hold NVIDIA's libraries, in the order in which they are looked through. */

import type { System } from "./system.ts";

/** A folder, and what named it. */
export interface Place {
  readonly folder: string;
  /** A variable's name, or a few words. */
  readonly from: string;
}

/** The variables that name folders: what the permission set `locate` of deno.json may read. */
export const VARIABLES = [
  "PDARTS_CUDA_PATH",
  "PDARTS_CUDNN_PATH",
  "VIRTUAL_ENV",
  "CONDA_PREFIX",
  "HOME",
  "LD_LIBRARY_PATH",
  "CUDA_HOME",
  "CUDA_PATH",
] as const;
/** Name of such a variable. */
type Variable = typeof VARIABLES[number];

/** Folders below a CUDA toolkit, a driver's copy or a wheel that hold libraries. */
const BELOW = ["", "/lib64", "/lib", "/targets/x86_64-linux/lib", "/targets/sbsa-linux/lib"];

/** Where distributions keep libraries, for systems without a loader's cache. */
const USUAL_FOLDERS = [
  "/usr/lib/x86_64-linux-gnu",
  "/usr/lib/aarch64-linux-gnu",
  "/usr/lib64",
  "/usr/lib",
  "/usr/local/lib",
  "/usr/lib/wsl/lib",
];

/** The folders that a variable means which names a folder or one of its files; none where it is not set. */
export function namedPlaces(system: System, variable: Variable): Place[] {
  const value = system.variable(variable)?.replace(/(?<=.)\/+$/, "");
  if (value === undefined) return [];
  const folder = /\.so[.\d]*$/.test(value) ? value.replace(/\/?[^/]*$/, "") || "." : value;
  return BELOW.map((below) => ({ folder: folder + below, from: variable }));
}

/** All folders but those of this project's own variables: pip's, the loader's, CUDA's. */
export function placesOf(system: System): Place[] {
  return [
    ...pipPlaces(system),
    ...loaderPlaces(system),
    ...namedPlaces(system, "CUDA_HOME"),
    ...namedPlaces(system, "CUDA_PATH"),
    ...BELOW.map((below) => ({ folder: `/usr/local/cuda${below}`, from: "/usr/local/cuda" })),
  ];
}

/** The loader's: its variable, its cache, and the usual folders where it has no cache. */
export function loaderPlaces(system: System): Place[] {
  const variable = system.variable("LD_LIBRARY_PATH")?.split(/[:;]/).filter(Boolean) ?? [];
  const cache = system.read("/etc/ld.so.cache");
  const folders = cache ? cachedFolders(cache) : USUAL_FOLDERS;
  const from = cache ? "the loader's cache" : "the system";
  return [
    ...variable.map((folder) => ({ folder, from: "LD_LIBRARY_PATH" })),
    ...folders.map((folder) => ({ folder, from })),
  ];
}

/**
 * Folders of NVIDIA's libraries in `/etc/ld.so.cache`, whose texts end with a zero: names, and paths.
 */
function cachedFolders(cache: Uint8Array): string[] {
  const text = new TextDecoder("latin1").decode(cache);
  const paths = text.matchAll(/(\/[^\0]*)\/lib(?:cuda|cudnn|cublas|nvrtc)\.so\.\d+\0/g);
  return [...new Set([...paths].map(([, folder]) => folder))];
}

/** pip's: `nvidia/NAME/lib` in the site-packages of the environments that are active, then the user's. */
function pipPlaces(system: System): Place[] {
  const home = system.variable("HOME"), conda = system.variable("CONDA_PREFIX");
  const prefixes: [from: string, prefix: string | undefined][] = [
    ["VIRTUAL_ENV", system.variable("VIRTUAL_ENV")],
    ["CONDA_PREFIX", conda],
    ["the user's pip", home && `${home}/.local`],
    ...subfolders(system, home && `${home}/.pyenv/versions`, /^3\./).map((
      prefix,
    ): [string, string] => ["pyenv's pip", prefix]),
    ["the system's pip", "/usr/local"],
    ["the system's pip", "/usr"],
  ];
  const condas = conda === undefined ? [] : [{ folder: `${conda}/lib`, from: "CONDA_PREFIX" }];
  const pips = prefixes.flatMap(([from, prefix]) =>
    sitePackages(system, prefix).flatMap((site) =>
      subfolders(system, `${site}/nvidia`, /./).map((folder) => ({ folder: `${folder}/lib`, from }))
    )
  );
  return [...pips, ...condas];
}

function sitePackages(system: System, prefix: string | undefined): string[] {
  return subfolders(system, prefix && `${prefix}/lib`, /^python3(\.\d+)?$/)
    .flatMap((python) => [`${python}/site-packages`, `${python}/dist-packages`]);
}

/** Entries of a folder whose names match, the highest version first. */
function subfolders(system: System, folder: string | undefined, name: RegExp): string[] {
  if (folder === undefined) return [];
  return system.list(folder).filter((entry) => name.test(entry))
    .sort((a, b) => b.localeCompare(a, "en", { numeric: true }))
    .map((entry) => `${folder}/${entry}`);
}
