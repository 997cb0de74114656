/**
 * Makes the npm packages that our sources import into plain modules, for machines without npm's registry.
 *
 * Invariant: a package is in one place, also where another one imports it, as tfjs's backends import
 * tfjs-core, since it has state.
 */

import { relative } from "node:path";

/** What our sources import beyond themselves. */
export interface Imports {
  /** Specifiers of modules. */
  modules: string[];
  /** Specifiers of files imported as bytes or as text. */
  files: string[];
}

const SPECIFIER = /\b(?:from|import|import\()\s*"([^"]+)"/g;
const CODE = /\.(?:ts|js)$/;
/** Files that are imported as bytes or as text, by their names. */
const BYTES = /\.(?:wasm|woff2|css|min\.js)$/;

/**
 * The specifiers in texts that an import map's packages answer.
 *
 * @param packages The keys of the import map; one that ends with a slash is for all below it.
 */
export function importsIn(texts: Iterable<string>, packages: readonly string[]): Imports {
  const found = new Set<string>();
  for (const text of texts) {
    for (const [, specifier] of text.matchAll(SPECIFIER)) {
      const known = packages.some((name) =>
        specifier === name || specifier.startsWith(name.replace(/\/?$/, "/"))
      );
      if (known) found.add(specifier);
    }
  }
  const all = [...found].sort();
  return {
    modules: all.filter((specifier) => !BYTES.test(specifier)),
    files: all.filter((specifier) => BYTES.test(specifier)),
  };
}

/** Texts of all modules below a folder. */
export function* sourcesBelow(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) yield* sourcesBelow(path);
    else if (CODE.test(name)) yield Deno.readTextFileSync(path);
  }
}

/** A specifier as the name of a file. */
export function fileNameOf(specifier: string): string {
  const name = specifier.replace(/^@/, "").replaceAll("/", "_");
  return BYTES.test(name) ? name : `${name.replace(CODE, "")}.js`;
}

/**
 * Bundles packages into a folder.
 *
 * @param folder In the project, where specifiers are resolved by its deno.json.
 * @returns the import map that finds them, relative to `root`
 * @throws {Error} If Deno cannot bundle them.
 */
export async function bundlePackages(
  { modules, files }: Imports,
  { folder, root }: { folder: string; root: string },
): Promise<Record<string, string>> {
  const entries = `${folder}/entries`;
  await Deno.mkdir(entries, { recursive: true });
  for (const specifier of modules) {
    const quoted = JSON.stringify(specifier);
    await Deno.writeTextFile(
      `${entries}/${fileNameOf(specifier)}`,
      `import * as all from ${quoted};\nexport * from ${quoted};\nexport default all.default;\n`,
    );
  }
  const names = modules.map((specifier) => `${entries}/${fileNameOf(specifier)}`);
  const options = ["-q", "--platform=deno", "--code-splitting", `--outdir=${folder}`];
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", ...options, ...names],
    stderr: "piped",
  }).output();
  if (!success) throw new Error(`Cannot bundle packages: ${new TextDecoder().decode(stderr)}`);
  await Deno.remove(entries, { recursive: true });
  for (const specifier of files) {
    const { default: bytes } = await import(specifier, { with: { type: "bytes" } });
    await Deno.writeFile(`${folder}/${fileNameOf(specifier)}`, bytes);
  }
  const place = (specifier: string) => `./${relative(root, folder)}/${fileNameOf(specifier)}`;
  return Object.fromEntries([...modules, ...files].map((name) => [name, place(name)]));
}
