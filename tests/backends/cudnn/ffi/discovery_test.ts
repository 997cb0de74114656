/** Tests of the search for NVIDIA's libraries, on made-up machines. */

import { discover } from "../../../../backends/cudnn/ffi/discovery.ts";
import { assertEquals, assertMatch } from "../../../assert.ts";
import { library, type MadeUpFiles, madeUpSystem } from "./made_up_system.ts";

const PARTS = "libcudnn_graph.so\0libcudnn_ops.so\0libcudnn.so.9\0";

/** The files of pip's packages for CUDA 13, below an environment's folder. */
function pip(prefix: string, python = "python3.12"): MadeUpFiles {
  const nvidia = `${prefix}/lib/${python}/site-packages/nvidia`;
  return {
    [`${nvidia}/cudnn/lib/libcudnn.so.9`]: library(PARTS),
    [`${nvidia}/cudnn/lib/libcudnn_graph.so.9`]: library(),
    [`${nvidia}/cudnn/lib/libcudnn_ops.so.9`]: library(),
    [`${nvidia}/cu13/lib/libcublas.so.13`]: library(),
    [`${nvidia}/cu13/lib/libcublasLt.so.13`]: library(),
    [`${nvidia}/cu13/lib/libnvrtc.so.13`]: library(),
    [`${nvidia}/cu13/lib/libnvrtc-builtins.so.13.5`]: library(),
  };
}

/** The files of a CUDA toolkit and a cuDNN in one folder. */
function toolkit(folder: string, major: number): MadeUpFiles {
  return {
    [`${folder}/libcudnn.so.9`]: library(),
    [`${folder}/libcublas.so.${major}`]: library(),
    [`${folder}/libcublasLt.so.${major}`]: library(),
    [`${folder}/libnvrtc.so.${major}`]: library(),
    [`${folder}/libnvrtc-builtins.so.${major}.4`]: library(),
  };
}

function without(files: MadeUpFiles, ...names: string[]): MadeUpFiles {
  return Object.fromEntries(
    Object.entries(files).filter(([path]) => !names.some((name) => path.endsWith(`/${name}`))),
  );
}

const DRIVER_FOLDER = "/usr/lib/x86_64-linux-gnu";
const DRIVER: MadeUpFiles = { [`${DRIVER_FOLDER}/libcuda.so.1`]: library() };

Deno.test("discover() finds pip's packages in the active environment, and the driver in the system", () => {
  const system = madeUpSystem({ ...DRIVER, ...pip("/venv") }, { VIRTUAL_ENV: "/venv" });
  const nvidia = "/venv/lib/python3.12/site-packages/nvidia";
  assertEquals(discover(system), {
    found: [
      { library: "libcuda.so.1", path: `${DRIVER_FOLDER}/libcuda.so.1`, from: "the system" },
      {
        library: "libcudnn.so.9",
        path: `${nvidia}/cudnn/lib/libcudnn.so.9`,
        from: "VIRTUAL_ENV",
      },
      {
        library: "libcublas.so.13",
        path: `${nvidia}/cu13/lib/libcublas.so.13`,
        from: "VIRTUAL_ENV",
      },
      { library: "libnvrtc.so.13", path: `${nvidia}/cu13/lib/libnvrtc.so.13`, from: "VIRTUAL_ENV" },
    ],
    files: {
      cuda: `${DRIVER_FOLDER}/libcuda.so.1`,
      cudnn: `${nvidia}/cudnn/lib/libcudnn.so.9`,
      toolkits: [{
        major: 13,
        cublas: `${nvidia}/cu13/lib/libcublas.so.13`,
        nvrtc: `${nvidia}/cu13/lib/libnvrtc.so.13`,
        before: [
          `${nvidia}/cu13/lib/libcublasLt.so.13`,
          `${nvidia}/cu13/lib/libnvrtc-builtins.so.13.5`,
        ],
      }],
    },
  });
});

Deno.test("discover() looks where the variables say, then in pip's, the loader's and CUDA's folders", () => {
  const everywhere: MadeUpFiles = {
    ...DRIVER,
    ...toolkit("/named/lib64", 13),
    ...pip("/venv"),
    ...pip("/home/u/.local", "python3.9"),
    ...pip("/home/u/.local", "python3.10"),
    ...toolkit("/ld", 13),
    ...toolkit("/cuda/lib64", 13),
  };
  const variables: Record<string, string> = {
    PDARTS_CUDA_PATH: "/named/",
    VIRTUAL_ENV: "/venv",
    HOME: "/home/u",
    LD_LIBRARY_PATH: "/missing:/ld",
    CUDA_HOME: "/cuda",
  };
  const places: string[] = [];
  for (const name of Object.keys(variables)) {
    places.push(discover(madeUpSystem(everywhere, variables)).files?.cudnn ?? "none");
    delete variables[name];
  }
  assertEquals(places, [
    "/named/lib64/libcudnn.so.9",
    "/venv/lib/python3.12/site-packages/nvidia/cudnn/lib/libcudnn.so.9",
    "/home/u/.local/lib/python3.10/site-packages/nvidia/cudnn/lib/libcudnn.so.9",
    "/ld/libcudnn.so.9",
    "/cuda/lib64/libcudnn.so.9",
  ]);
});

Deno.test("discover() takes a folder or a file for PDARTS_CUDNN_PATH, and no other cuDNN", () => {
  const files = { ...DRIVER, ...pip("/venv"), ...toolkit("/named", 13) };
  const cudnnFor = (path: string) =>
    discover(madeUpSystem(files, { PDARTS_CUDNN_PATH: path, VIRTUAL_ENV: "/venv" }));
  assertEquals(cudnnFor("/named").files?.cudnn, "/named/libcudnn.so.9");
  assertEquals(cudnnFor("/named/libcudnn.so.9").files?.cudnn, "/named/libcudnn.so.9");
  assertEquals(
    cudnnFor("/elsewhere").problem,
    "Cannot use cudnn: found no libcudnn.so.9; pip install nvidia-cudnn-cu13",
  );
});

Deno.test("discover() reads the loader's cache", () => {
  const cache = "glibc-ld.so.cache1.1\0libcuda.so.1\0/opt/driver/libcuda.so.1\0" +
    "libcublas.so.12\0/opt/cuda/libcublas.so.12\0/opt/other/libcublasx.so.12\0";
  const files = {
    "/etc/ld.so.cache": cache,
    "/opt/driver/libcuda.so.1": library(),
    ...toolkit("/opt/cuda", 12),
  };
  const { found, files: opened } = discover(madeUpSystem(files));
  assertEquals(found.map(({ from }) => from), Array(4).fill("the loader's cache"));
  assertEquals(opened?.cuda, "/opt/driver/libcuda.so.1");
  assertEquals(opened?.toolkits.map(({ major }) => major), [12]);
});

Deno.test("discover() opens links by their real paths, where the parts are", () => {
  const files: MadeUpFiles = {
    ...DRIVER,
    ...toolkit("/lib", 13),
    "/lib/libcudnn.so.9": "-> /real/libcudnn.so.9.1.0",
    "/real/libcudnn.so.9.1.0": library(PARTS),
    "/real/libcudnn_graph.so.9": library(),
  };
  const variables = { LD_LIBRARY_PATH: "/lib" };
  assertMatch(
    discover(madeUpSystem(files, variables)).problem ?? "",
    /; \/real\/libcudnn\.so\.9\.1\.0 lacks libcudnn_ops\.so\.9 beside it; pip install nvidia-cudnn-cu13$/,
  );
  files["/real/libcudnn_ops.so.9"] = library();
  assertEquals(
    discover(madeUpSystem(files, variables)).files?.cudnn,
    "/real/libcudnn.so.9.1.0",
  );
});

Deno.test("discover() names what is missing or unusable, and what to install", () => {
  const problem = (files: MadeUpFiles, rest = {}) =>
    discover(madeUpSystem(files, { VIRTUAL_ENV: "/venv", LD_LIBRARY_PATH: "/ld" }, rest)).problem;
  assertEquals(
    problem({}),
    "Cannot use cudnn: found no libcuda.so.1, libcudnn.so.9, libcublas.so.13, libnvrtc.so.13; " +
      "install NVIDIA's driver, and pip install nvidia-cudnn-cu13 nvidia-cublas nvidia-cuda-nvrtc",
  );
  assertEquals(
    problem(pip("/venv")),
    "Cannot use cudnn: found no libcuda.so.1; install NVIDIA's driver",
  );
  assertEquals(
    problem(without({ ...DRIVER, ...toolkit("/ld", 12) }, "libcudnn.so.9", "libnvrtc.so.12")),
    "Cannot use cudnn: found no libcudnn.so.9, libnvrtc.so.12; " +
      "pip install nvidia-cudnn-cu12 nvidia-cuda-nvrtc-cu12",
  );
  assertEquals(
    problem(without({ ...DRIVER, ...toolkit("/ld", 13) }, "libcublasLt.so.13")),
    "Cannot use cudnn: found no libcublas.so.13; /ld/libcublas.so.13 lacks libcublasLt.so.13 " +
      "beside it; pip install nvidia-cublas",
  );
  assertEquals(
    problem(without({ ...DRIVER, ...toolkit("/ld", 13) }, "libnvrtc-builtins.so.13.4")),
    "Cannot use cudnn: found no libnvrtc.so.13; /ld/libnvrtc.so.13 lacks libnvrtc-builtins.so.13. " +
      "beside it; pip install nvidia-cuda-nvrtc",
  );
  const foreign = { "/ld/libcudnn.so.9": library("", { machine: 183 }) };
  assertEquals(
    problem({ ...DRIVER, ...toolkit("/ld", 13), ...foreign }),
    "Cannot use cudnn: found no libcudnn.so.9; /ld/libcudnn.so.9 is no library for x86_64; " +
      "pip install nvidia-cudnn-cu13",
  );
  const old = { "/ld/libcudnn.so.8": library(), "/ld/libcudnn.so.9": "a text" };
  assertEquals(
    problem({ ...DRIVER, ...toolkit("/ld", 13), ...old }),
    "Cannot use cudnn: found no libcudnn.so.9; /ld/libcudnn.so.9 is no library for x86_64; " +
      "/ld/libcudnn.so.8 is too old; pip install nvidia-cudnn-cu13",
  );
  assertMatch(
    problem({}, { limited: true }) ?? "",
    /; not all folders may be read without --allow/,
  );
});

Deno.test("discover() refuses systems that the backend is not for", () => {
  const files = { ...DRIVER, ...pip("/venv") }, variables = { VIRTUAL_ENV: "/venv" };
  for (const [os, name] of [["darwin", "macOS"], ["windows", "Windows"]]) {
    assertEquals(discover(madeUpSystem(files, variables, { os })), {
      found: [],
      problem: `Cannot use cudnn on ${name}: it runs on Linux alone; use --backend=webgpu`,
    });
  }
});
