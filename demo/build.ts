/**
 * Writes the demo's files that are not bundled: pages, images and the CPU kernels, compiled here since a
 * page has no compiler. `deno task demo:build` then bundles the scripts beside them; any host of static
 * files can serve the folder. They are not minified: the esbuild of Deno 2.9.6 (0.25.5) then leaves out
 * `using` where it can put a variable's value in place of its only use, so that scratch is never freed;
 * 0.28.2 does not.
 */

import uplotStyle from "uplot/dist/uPlot.min.css" with { type: "text" };
import { kernelBinary } from "../backends/cpu/compiler.ts";
import { KERNEL_FILES, KERNEL_PAGES, kernelFileName } from "./kernel_files.ts";

/** Where the demo's files are, below the project's folder. */
export const SITE_FOLDER = ".cache/demo";

/** Writes the files into a folder, which is emptied first. */
export async function writeSite(folder: string): Promise<void> {
  await Deno.remove(folder, { recursive: true }).catch(() => {});
  await Deno.mkdir(folder, { recursive: true });
  const source = `${import.meta.dirname}/site`;
  for (const { name } of Deno.readDirSync(source)) {
    await Deno.copyFile(`${source}/${name}`, `${folder}/${name}`);
  }
  const images = "cifar10_sample.png";
  await Deno.copyFile(`${import.meta.dirname}/../datasets/${images}`, `${folder}/${images}`);
  await Deno.writeTextFile(`${folder}/uplot.css`, uplotStyle);
  for (const file of KERNEL_FILES) {
    const memory = { pages: KERNEL_PAGES, shared: file.shared };
    const binary = await kernelBinary({ relaxed: file.relaxed, wide: false }, memory);
    await Deno.writeFile(`${folder}/${kernelFileName(file)}`, binary);
  }
}

if (import.meta.main) await writeSite(`${import.meta.dirname}/../${SITE_FOLDER}`);
