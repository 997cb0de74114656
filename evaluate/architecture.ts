/**
 * The genotype that a person names: a stored one, a file in JSON or Python, or what a search found.
 *
 * Invariant: a name without a dot or a slash is never taken for a path unless there is one of that name.
 */

import { suggest } from "../backends/suggest.ts";
import { fromJson, validateGenotype } from "../nn/genotype_json.ts";
import { parsePython } from "../nn/genotype_python.ts";
import { type Genotype, GENOTYPES } from "../nn/genotypes.ts";
import { attempt, RunError } from "../nn/run_files.ts";
import type { Access } from "../nn/run_main.ts";
import type { ArchitectureConfig } from "./config.ts";

/** What a search leaves of each genotype. */
interface Variant {
  readonly maxSkips: number | null;
  readonly genotype: unknown;
}

/** Access to the path that an architecture is, unless it is a stored genotype's name. */
export function architectureAccesses(source: unknown): Access[] {
  if (typeof source !== "string" || Object.hasOwn(GENOTYPES, source)) return [];
  return [{ option: "--arch", path: source, kinds: ["read"] }];
}

/**
 * The genotype of an architecture.
 *
 * @throws {RunError} when there is none of that name, or the file or the folder holds none
 */
export function genotypeOf({ source, skips }: ArchitectureConfig): Genotype {
  const stored = Object.hasOwn(GENOTYPES, source);
  const folder = !stored && statOf(source).isDirectory;
  if (skips !== null && !folder) {
    throw new RunError(`Cannot use --skips=${skips}: --arch=${source} is no search's run folder`);
  }
  if (stored) return GENOTYPES[source];
  if (!folder) return readGenotype(source);
  return skips === null ? genotypeOfSearch(source) : genotypeOfSkips(source, skips);
}

function statOf(source: string): Deno.FileInfo {
  try {
    return Deno.statSync(source);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    const names = Object.keys(GENOTYPES);
    throw new RunError(
      `Cannot find --arch=${source}: it is no file or folder, and no stored genotype, ` +
        `which are ${names.join(", ")}${suggest(source, names)}`,
    );
  }
}

function readGenotype(path: string): Genotype {
  const text = attempt(`read ${path}`, () => Deno.readTextFileSync(path));
  return worded(path, () => path.endsWith(".py") ? parsePython(text) : fromJson(text));
}

function worded<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const reason = (error as Error).message.replace(/^Cannot read a genotype: /, "");
    throw new RunError(`Cannot read the genotype in ${path}: ${reason}`, { cause: error });
  }
}

function readFinished(folder: string, name: string): string {
  try {
    return attempt(`read ${folder}/${name}`, () => Deno.readTextFileSync(`${folder}/${name}`));
  } catch (error) {
    if (!((error as Error).cause instanceof Deno.errors.NotFound)) throw error;
    throw new RunError(
      `Cannot use --arch=${folder}: it holds no ${name}, which a search leaves at its end`,
    );
  }
}

/** The genotype that the search chose, which has two skips at most unless it was told otherwise. */
function genotypeOfSearch(folder: string): Genotype {
  return worded(
    `${folder}/genotype.json`,
    () => fromJson(readFinished(folder, "genotype.json")),
  );
}

/** The genotype of a limit on skips, as the search itself chooses: of the lowest limit not below it. */
function genotypeOfSkips(folder: string, skips: number): Genotype {
  const path = `${folder}/genotypes.json`, text = readFinished(folder, "genotypes.json");
  return worded(path, () => {
    const variants = JSON.parse(text) as Variant[];
    const limits = variants.filter(({ maxSkips }) => maxSkips === null || maxSkips >= skips);
    return validateGenotype(limits.at(-1)?.genotype);
  });
}
