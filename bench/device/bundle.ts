/**
 * `deno task bundle`: packs all that a machine without any network needs into .cache/bundle/pdarts.tar.xz.
 *
 * The folder in it has Deno as it runs here, our sources with kernels, tests and their images, the npm
 * packages as plain modules, Vulkan's loaders where apt-get gives them, and a script, `pdarts`, that runs
 * a task. It is tried before it is packed, which leaves the compiled kernels of the CPU backend in it.
 */

import project from "../../deno.json" with { type: "json" };
import { bundlePackages, importsIn, sourcesBelow } from "./packages.ts";
import { outputOf } from "./child.ts";

/** Folders of sources, and what is left out of them: what needs npm's registry or the whole project. */
const SOURCES = ["backends", "bench", "datasets", "evaluate", "nn", "report", "search", "tests"];
const LEFT_OUT = [
  "bench/results",
  "tests/browser.ts",
  "tests/conformance",
  "tests/demo",
  "tests/evaluate/export",
  "tests/evaluate/export_main_test.ts",
  "tests/report",
  "bench/peers/pytorch/__pycache__",
];
const FILES = ["mod.ts", "README.md", "LICENSE"];
/** The tasks that work in it. */
const TASKS = ["search", "eval", "backends", "bench:profile", "gpu:check"] as const;
/** Debian's packages of the loaders that Deno and NVIDIA's Vulkan driver open. */
const LOADERS = ["libvulkan1", "libegl1", "libglvnd0"];
/** What the archive may weigh. */
const MOST_BYTES = 60e6;

const OUT = ".cache/bundle";

async function run(command: string, args: string[], cwd?: string): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args,
    cwd,
    stdout: "piped",
    stderr: "piped",
  }).output();
  if (success) return;
  const text = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("\n").trim();
  throw new Error(`Cannot make the bundle: ${[command, ...args].join(" ")} failed:\n${text}`);
}

async function copySources(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for (const { name, isDirectory } of Deno.readDirSync(from)) {
    const path = `${from}/${name}`;
    if (LEFT_OUT.includes(path)) continue;
    if (isDirectory) await copySources(path, `${to}/${name}`);
    else await Deno.copyFile(path, `${to}/${name}`);
  }
}

/** The project's configuration with the packages in their new places, and the commit in its version. */
async function configuration(imports: Record<string, string>): Promise<object> {
  const { tasks, allowScripts: _, ...rest } = project;
  const commit = await outputOf("git", "describe", "--always", "--dirty", "--abbrev=12");
  return {
    ...rest,
    version: commit === undefined ? project.version : `${project.version}+${commit}`,
    imports,
    tasks: Object.fromEntries(TASKS.map((name) => [name, tasks[name]])),
  };
}

/** Unpacks Debian's loaders into a folder. @returns whether apt-get has given them */
async function addLoaders(folder: string): Promise<boolean> {
  const work = await Deno.realPath(OUT).then((path) => `${path}/loaders`);
  await Deno.mkdir(`${work}/lists/partial`, { recursive: true });
  const apt = ["-qq", "-oAPT::Sandbox::User=root", `-oDir::State::Lists=${work}/lists`];
  const script = [
    `cd '${work}'`,
    `apt-get ${apt.join(" ")} update`,
    `apt-get ${apt.join(" ")} download ${LOADERS.join(" ")}`,
    "for deb in *.deb; do dpkg -x $deb .; done",
  ].join(" && ");
  const given = await outputOf("bash", "-c", script) !== undefined;
  if (given) await run("cp", ["-a", `${work}/usr/lib/${Deno.build.arch}-linux-gnu/.`, folder]);
  await Deno.remove(work, { recursive: true });
  return given;
}

const folder = `${OUT}/pdarts`, archive = `${OUT}/pdarts.tar.xz`;
await Deno.mkdir(OUT, { recursive: true });
for (const path of [folder, archive]) await outputOf("rm", "-rf", path);

for (const name of SOURCES) await copySources(name, `${folder}/${name}`);
for (const name of FILES) await Deno.copyFile(name, `${folder}/${name}`);
for (const name of ["bin", "lib", "bench/results"]) await Deno.mkdir(`${folder}/${name}`);
await Deno.copyFile(Deno.execPath(), `${folder}/bin/deno`);
await Deno.copyFile("bench/device/pdarts", `${folder}/pdarts`);

const imports = importsIn(sourcesBelow(folder), Object.keys(project.imports));
const map = await bundlePackages(imports, { folder: `${folder}/packages`, root: folder });
await Deno.writeTextFile(`${folder}/deno.json`, JSON.stringify(await configuration(map), null, 2));
if (!await addLoaders(`${folder}/lib`)) {
  console.log(
    "without Vulkan's loaders: apt-get gives none here, and WebGPU needs the machine's own",
  );
}

await run("./pdarts", ["backends"], folder);
await Deno.remove(`${folder}/.cache/deno`, { recursive: true });
await run("tar", ["-C", OUT, "-cf", archive, "-I", "xz -T0 -6", "pdarts"]);
await Deno.remove(folder, { recursive: true });
const { size } = await Deno.stat(archive);
if (size > MOST_BYTES) {
  throw new Error(`Cannot use ${archive}: it has ${size} bytes, and ${MOST_BYTES} may travel`);
}
console.log(`${archive}: ${(size / 1e6).toFixed(1)} MB`);
