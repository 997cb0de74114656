/**
 * A driver without a card, `libcuda.so.1`: every function of the table and those that cuDNN's engines
 * are linked to say that there is no device, but for its version.
 */

import { CUDA_FUNCTIONS, CUDA_VALUES } from "../../../backends/cudnn/ffi/cuda.ts";

/** What `libcudnn_engines_runtime_compiled.so.9` of cuDNN 9.28 needs beyond the table. */
const BEYOND = ["cuTensorMapEncodeIm2col", "cuTensorMapEncodeTiled"];

/** Compiles it into a folder, with g++; its version is CUDA 13.0 by default. */
export async function buildDriverWithoutCard(folder: string, driver = 13000): Promise<void> {
  const names = [...Object.keys(CUDA_FUNCTIONS), ...BEYOND];
  const refusing = names.filter((name) => name !== "cuDriverGetVersion").map((name) =>
    `int ${name}(void) { return ${CUDA_VALUES.CUDA_ERROR_NO_DEVICE}; }`
  );
  const version = `int cuDriverGetVersion(int* version) { *version = ${driver}; return 0; }`;
  await Deno.writeTextFile(`${folder}/no_card.c`, [...refusing, version, ""].join("\n"));
  const output = ["-o", `${folder}/libcuda.so.1`, "-Wl,-soname,libcuda.so.1"];
  const compiler = new Deno.Command("g++", {
    args: ["-x", "c", "-shared", "-fPIC", ...output, `${folder}/no_card.c`],
    stderr: "piped",
  });
  const { success, stderr } = await compiler.output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}
