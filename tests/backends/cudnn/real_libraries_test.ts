/**
 * NVIDIA's real libraries without a card: found, opened and asked. Each test asks in a process of its
 * own, so that one that the libraries abort fails alone.
 */

import { assert, assertEquals, assertMatch } from "../../assert.ts";
import { scratchPermitted, withScratch } from "../../scratch.ts";
import { programsPermitted } from "../../search/program.ts";
import { KINDS } from "./convolution_graph.ts";
import { buildDriverWithoutCard } from "./no_card.ts";
import { NVIDIA_FOLDER, nvidiaInstalled } from "./nvidia.ts";
import { paperConvolutions } from "./paper_convolutions.ts";
import type { Answers } from "./real_libraries.ts";

const ignore = !programsPermitted() || !scratchPermitted() || !nvidiaInstalled({ run: ["g++"] });

interface Machine {
  /** The driver's version. */
  driver?: number;
  /** The folder of cuDNN. */
  cudnn?: string;
  /** The folder of CUDA. */
  cuda?: string;
}

/** Runs the other program. */
async function run(
  question: keyof Answers,
  { driver, cudnn = `${NVIDIA_FOLDER}/cudnn/lib`, cuda = `${NVIDIA_FOLDER}/cu13` }: Machine = {},
) {
  return await withScratch(async (folder) => {
    await buildDriverWithoutCard(folder, driver);
    const variables = ["PDARTS_CUDA_PATH", "PDARTS_CUDNN_PATH", "CUDA_HOME"];
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-q",
        "--no-prompt",
        "--allow-ffi",
        "--allow-read",
        `--allow-env=${variables}`,
        "tests/backends/cudnn/real_libraries.ts",
        question,
      ],
      env: {
        PDARTS_CUDA_PATH: folder,
        PDARTS_CUDNN_PATH: cudnn,
        CUDA_HOME: cuda,
        NO_COLOR: "1",
      },
    }).output();
    const [answer, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    return { success, answer, errors };
  });
}

async function ask<Question extends keyof Answers>(question: Question): Promise<Answers[Question]> {
  const { success, answer, errors } = await run(question);
  assert(success, errors);
  return JSON.parse(answer);
}

Deno.test({
  name: "openLibraries() opens the libraries that discover() finds, and tells their versions",
  ignore,
  fn: async () => {
    const { cuda, cudnn, cublas, nvrtc } = await ask("versions");
    const pins = await Deno.readTextFile("tests/backends/cudnn/requirements.txt");
    assertEquals(cuda, "13.0");
    assertMatch(pins, new RegExp(`^nvidia-cudnn-cu13==${cudnn}\\.`, "m"));
    assertMatch(pins, new RegExp(`^nvidia-cuda-nvrtc==${nvrtc}\\.`, "m"));
    assertMatch(cublas, /^13\.\d+\.\d+$/);
  },
});

Deno.test({
  name: "a failed call tells its name, its status and the library's own words",
  ignore,
  fn: async () => {
    const [driver, cudnn] = await ask("refusals");
    assertEquals(driver, "Cannot run cuInit on cudnn: unknown error (status 100)");
    assertMatch(
      cudnn,
      /^Cannot run cudnnCreate on cudnn: CUDNN_STATUS_NOT_INITIALIZED, .+ \(status 1001\)$/,
    );
  },
});

Deno.test({
  name: "discover() refuses a cuDNN without its parts, which would abort the process",
  ignore,
  fn: () =>
    withScratch(async (folder) => {
      const file = "libcudnn.so.9";
      await Deno.copyFile(`${NVIDIA_FOLDER}/cudnn/lib/${file}`, `${folder}/${file}`);
      const { success, errors } = await run("versions", { cudnn: folder });
      assert(!success);
      assertMatch(errors, /found no libcudnn\.so\.9; \S+ lacks libcudnn_\w+\.so\.9 beside it; pip/);
    }),
});

Deno.test({
  name: "openLibraries() refuses a driver, or a cuBLAS and NVRTC, of an older CUDA than cuDNN's",
  ignore,
  fn: () =>
    withScratch(async (folder) => {
      const driver = await run("versions", { driver: 12040 });
      assertMatch(
        driver.errors,
        /the driver is for CUDA 12\.4, and \S+ for CUDA 13; update NVIDIA's driver, or pip install/,
      );
      await buildDriverWithoutCard(folder);
      for (
        const name of ["cublas.so.12", "cublasLt.so.12", "nvrtc.so.12", "nvrtc-builtins.so.12.9"]
      ) {
        await Deno.copyFile(`${folder}/libcuda.so.1`, `${folder}/lib${name}`);
      }
      const toolkit = await run("versions", { cuda: folder });
      assertMatch(
        toolkit.errors,
        /\S+ is for CUDA 13, and cuBLAS and NVRTC are found for CUDA 12; pip install nvidia-cudnn-cu12/,
      );
    }),
});

Deno.test({
  name: "cuDNN's descriptors give every convolution of the paper its output's sizes",
  ignore,
  fn: async () =>
    assertEquals(
      await ask("sizes"),
      paperConvolutions().map((
        { batch, output: [height, width, channels] },
      ) => [batch, channels, height, width]),
    ),
});

Deno.test({
  name: "cuDNN plans every convolution of the paper and its gradients on an H100, on tensor cores",
  ignore,
  fn: async () => {
    const plans = await ask("plans"), convolutions = paperConvolutions();
    assertEquals(plans.length, KINDS.length * convolutions.length);
    const lacking = plans.flatMap((list, index) =>
      list.some(({ tensorCores }) => tensorCores)
        ? []
        : [{ ...convolutions[Math.floor(index / KINDS.length)], kind: KINDS[index % KINDS.length] }]
    );
    assertEquals(lacking, []);
    assertMatch(await ask("wrongPlan"), /^Cannot run cudnnBackendFinalize on cudnn: CUDNN_STATUS_/);
  },
});

Deno.test({
  name:
    "NVRTC compiles every kernel of the backend for 8.0 and 9.0, and says what is wrong with one",
  ignore,
  fn: async () => {
    const elf = [0x7f, 0x45, 0x4c, 0x46], cubins = await ask("cubins");
    assert(Object.keys(cubins).length > 0);
    for (const [name, both] of Object.entries(cubins)) assertEquals(both, [elf, elf], name);
    assertEquals(
      await ask("wrongKernel"),
      'Cannot compile wrong: wrong.cu(2): error: identifier "z" is undefined',
    );
  },
});
