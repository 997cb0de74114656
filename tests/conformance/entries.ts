/**
 * Writes what `deno bundle` needs to make one copy of tfjs-core out of its modules and its own specs:
 * an entry each for tfjs-core, its backends and the specs, and the import map by which our
 * backend's sources then find that copy.
 *
 * tfjs-core's specs are modules without file extensions in their imports, so they run only bundled. A
 * spec module has no exports and its package calls it free of side effects, so a plain import of it
 * would be dropped; an exported namespace is kept.
 */

import listOfSpecs from "@tensorflow/tfjs-core/dist/tests.js" with { type: "text" };
import config from "../../deno.json" with { type: "json" };

const folder = new URL("../../.cache/conformance/", import.meta.url);
const core = "@tensorflow/tfjs-core/dist";

const specs = [...listOfSpecs.matchAll(/^import '\.\/(.+)';$/gm)].map(([, path]) => path);
if (specs.length < 200) {
  throw new Error(`Cannot find tfjs-core's specs: got ${specs.length} modules`);
}

const entries: Record<string, string[]> = {
  "core.js": [`export * from "@tensorflow/tfjs-core";`],
  "cpu.js": [`export * from "@tensorflow/tfjs-backend-cpu";`],
  "webgpu.js": [`export * from "@tensorflow/tfjs-backend-webgpu";`],
  "tfjs.js": [
    `import "${core}/register_all_gradients.js";`,
    `import "${core}/public/chained_ops/register_all_chained_ops.js";`,
  ],
  "environments.js": [`export { setTestEnvs } from "${core}/jasmine_util.js";`],
  "specs.js": [
    ...specs.map((path, index) => `export * as spec${index} from "${core}/${path}.js";`),
  ],
};

await Deno.mkdir(new URL("entries/", folder), { recursive: true });
for (const [name, lines] of Object.entries(entries)) {
  await Deno.writeTextFile(new URL(`entries/${name}`, folder), lines.join("\n") + "\n");
}

// Subpaths of a package follow from its name in deno.json, but not in an import map.
const packages = Object.entries(config.imports).filter(([name]) => !name.endsWith("/"));
const subpaths = packages.map(([name, url]) => [`${name}/`, url.replace("npm:", "npm:/") + "/"]);
const imports = {
  ...Object.fromEntries(subpaths),
  ...config.imports,
  "@tensorflow/tfjs-layers": "./bundle/tfjs.js",
  "@tensorflow/tfjs-core": "./bundle/core.js",
  "@tensorflow/tfjs-backend-cpu": "./bundle/cpu.js",
  "@tensorflow/tfjs-backend-webgpu": "./bundle/webgpu.js",
};
await Deno.writeTextFile(new URL("import_map.json", folder), JSON.stringify({ imports }));
