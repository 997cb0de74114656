/** Tests of choosing a backend by name and by `auto`. */

import * as tf from "@tensorflow/tfjs-core";
import { assert, assertEquals, assertMatch, assertRejects } from "../assert.ts";
import { BACKEND_NAMES, BackendError, startBackend } from "../../backends/mod.ts";
import type { Discovery } from "../../backends/cudnn/ffi/discovery.ts";
import { EMULATOR_FOLDER } from "../cuda_emulator/build.ts";
import { EMULATOR_ABSENT, emulatorFiles } from "../cuda_emulator/emulator.ts";
import { permitted } from "../permitted.ts";

/** Tells a process where NVIDIA's libraries are. */
const FOUND = "PDARTS_CUDNN_FOUND";

const UNABLE = !permitted({ read: ["."], write: [".cache"], env: ["CI"] });

/** In place of the machine's GPUs, one that says of itself that it is software. */
function softwareGpu(description: string): Disposable {
  const adapter = {
    info: { description, isFallbackAdapter: true },
    limits: {},
    features: new Set(),
  };
  const value = { requestAdapter: () => Promise.resolve(adapter) };
  Object.defineProperty(navigator, "gpu", { value, configurable: true });
  return { [Symbol.dispose]: () => Reflect.deleteProperty(navigator, "gpu") };
}

Deno.test("startBackend() refuses an unknown name, suggesting the nearest", async () => {
  await assertRejects(
    () => startBackend("webgl"),
    RangeError,
    'Unknown backend "webgl": want auto, cudnn, webgpu, cpu (did you mean "webgpu"?)',
  );
  await assertRejects(() => startBackend("toString"), RangeError, 'Unknown backend "toString"');
  await assertRejects(() => startBackend(""), RangeError, 'Unknown backend ""');
});

Deno.test({
  name: "startBackend() starts cpu by name, as tfjs's current backend",
  ignore: UNABLE,
  fn: async () => {
    const { backend, notTaken } = await startBackend("cpu", { threads: 1 });
    try {
      assertEquals([backend.name, notTaken], ["cpu", []]);
      assertEquals(tf.getBackend(), backend.tfjsName);
      assert(backend.description.length > 0 && !backend.description.includes("\n"));
    } finally {
      backend.close();
    }
  },
});

/** In place of what a look for NVIDIA's libraries finds. */
function foundLibraries(discovery: Discovery): Disposable {
  const before = Deno.env.get(FOUND);
  Deno.env.set(FOUND, JSON.stringify(discovery));
  return {
    [Symbol.dispose]: () =>
      before === undefined ? Deno.env.delete(FOUND) : Deno.env.set(FOUND, before),
  };
}

Deno.test({
  name: "startBackend() with auto takes cpu where WebGPU has a software adapter, and says so",
  ignore: UNABLE || !permitted({ env: [FOUND], ffi: true }),
  fn: async () => {
    using _gpu = softwareGpu("a stand-in");
    using _libraries = foundLibraries({ found: [], problem: "no card" });
    const { backend, notTaken } = await startBackend("auto", { threads: 1 });
    try {
      assertEquals(backend.name, "cpu");
      assertEquals(notTaken, ["no card", "webgpu's adapter is software, a stand-in"]);
    } finally {
      backend.close();
    }
  },
});

Deno.test({
  name: "startBackend() with auto takes cudnn before all others",
  ignore: UNABLE || EMULATOR_ABSENT !== undefined || !permitted({ env: [FOUND] }),
  sanitizeResources: false, // the libraries stay open
  fn: async () => {
    using _libraries = foundLibraries({ found: [], files: emulatorFiles() });
    const options = { cacheDir: EMULATOR_FOLDER };
    const { backend, notTaken } = await startBackend("auto", options);
    try {
      assertEquals([backend.name, notTaken], ["cudnn", []]);
      assertMatch(
        backend.description,
        /^cudnn, emulated CUDA device, TF32 convolutions, driver for CUDA [\d.]+, cuDNN [\d.]+$/,
      );
    } finally {
      backend.close();
    }
  },
});

Deno.test({
  name: "startBackend() gives one sentence for a backend that cannot start",
  ignore: UNABLE,
  fn: async () => {
    for (const name of BACKEND_NAMES) {
      try {
        (await startBackend(name, { threads: 1 })).backend.close();
      } catch (error) {
        assert(error instanceof BackendError, `${name}: ${error}`);
        assertEquals(error.backend, name);
        assert(!error.message.includes("\n"), error.message);
      }
    }
    await assertRejects(() => startBackend("cpu", { threads: 0 }), RangeError, "got 0");
  },
});
