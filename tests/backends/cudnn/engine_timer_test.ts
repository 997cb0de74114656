/** Tests of engines that are chosen by their time: on the emulator, whose time tests set. */

import * as tf from "@tensorflow/tfjs-core";
import type { CudnnBackend } from "../../../backends/cudnn/backend.ts";
import type { DenseConvolution } from "../../../backends/cudnn/convolution_shape.ts";
import { EngineChoices } from "../../../backends/cudnn/engine_choices.ts";
import { assert, assertEquals, assertMatch } from "../../assert.ts";
import { scratchPermitted, withScratch } from "../../scratch.ts";
import type { EmulatorControl } from "../../cuda_emulator/emulator.ts";
import { cudnnTest } from "./cudnn_test_case.ts";
import { startEmulated } from "./emulated.ts";

const SHAPE: Omit<DenseConvolution, "x" | "filter" | "y"> = {
  kind: "forward",
  ...{ batch: 2, input: [8, 8, 3], output: [8, 8, 16], kernel: [3, 3] },
  ...{ stride: [1, 1], padding: [1, 1], dilation: [1, 1] },
};
/** Bytes of workspace that the emulator's second algorithm asks for, as the pool gives them. */
const WORKSPACE = Math.ceil(4 * 3 * 3 * 3 * 16 / 256) * 256;

/** A backend's own kernels and its choices are in `folder`. */
async function startMeasuring(folder: string) {
  const backend = await startEmulated({ cacheDir: folder, engines: "measured" });
  const cudnn = tf.backend() as unknown as CudnnBackend;
  const sizes = { x: 2 * 8 * 8 * 3, filter: 16 * 3 * 3 * 3, y: 2 * 8 * 8 * 16 };
  const infos = Object.entries(sizes).map(([name, size]) =>
    [name, cudnn.allocate([size])] as const
  );
  const addresses = Object.fromEntries(
    infos.map(([name, info]) => [name, cudnn.address(info)]),
  ) as Record<keyof typeof sizes, bigint>;
  return {
    backend,
    /** Runs the convolution; the bytes that its engine takes for itself. */
    workspace: () => {
      backend.resetPeak();
      const { current } = backend.memory();
      cudnn.convolution({ ...SHAPE, ...addresses });
      return backend.memory().peak - current;
    },
  };
}

/** Registers a test in a folder of its own, with no backend started. */
function measuringTest(
  name: string,
  body: (folder: string, emulator: EmulatorControl) => Promise<void>,
): void {
  cudnnTest(name, async ({ backend, emulator }) => {
    backend.close();
    await withScratch((folder) => body(folder, emulator));
  });
}

/** Bytes that the pool gives to an engine that asks for none. */
const NONE = 256;

/** The file of choices in a folder. */
function choicesFile(folder: string): string {
  const [{ name }] = Deno.readDirSync(`${folder}/cudnn`);
  return `${folder}/cudnn/${name}`;
}

measuringTest(
  "convolution() takes the engine that was the fastest, and keeps it",
  async (folder, emulator) => {
    emulator.setAlgorithmTime(0, 5);
    const first = await startMeasuring(folder);
    const { libraryCalls } = emulator.counts();
    assertEquals(first.workspace(), WORKSPACE, "the second algorithm is faster");
    assertEquals(emulator.counts().libraryCalls, libraryCalls + 2 * 4 + 1, "both were timed");
    first.backend.close();

    // The next process finds the choice, and measures nothing.
    emulator.setAlgorithmTime(1, 50);
    const second = await startMeasuring(folder), calls = emulator.counts().libraryCalls;
    assertEquals([second.workspace(), second.workspace()], [WORKSPACE, WORKSPACE]);
    assertEquals(emulator.counts().libraryCalls, calls + 2);
    second.backend.close();
    const text = await Deno.readTextFile(choicesFile(folder));
    assertMatch(text, /"tf32 forward,2,8,8,3,8,8,16,3,3,1,1,1,1,1,1": "algorithm 1, math 0"/);
  },
);

measuringTest(
  "convolution() measures again where the file is damaged or has no such engine",
  async (folder, emulator) => {
    const made = await startMeasuring(folder);
    assertEquals(made.workspace(), NONE);
    made.backend.close();
    const path = choicesFile(folder), text = await Deno.readTextFile(path);
    emulator.setAlgorithmTime(0, 5);
    const damaged = [
      text.slice(0, text.length / 2),
      "[]",
      text.replace("algorithm 0", "algorithm 7"),
      text.replace('"algorithm 0, math 0"', "3"),
      text.replace('"device": "', '"device": "another '),
    ];
    for (const content of damaged) {
      await Deno.writeTextFile(path, content);
      const started = await startMeasuring(folder);
      assertEquals(started.workspace(), WORKSPACE, content);
      started.backend.close();
    }
  },
);

measuringTest(
  "convolution() is measured while a step is recorded, and is no part of it",
  async (folder, emulator) => {
    emulator.setAlgorithmTime(0, 5);
    emulator.setDeferred(true);
    const { backend: measuring, workspace } = await startMeasuring(folder);
    const recorder = measuring.createRecorder!(), x = tf.tidy(() => tf.variable(tf.tensor1d([1])));
    const recording = recorder.record(() => {
      workspace();
      tf.tidy(() => x.assign(tf.add(x, 1)));
    }, () => [x]);
    assertMatch(await Deno.readTextFile(choicesFile(folder)), /algorithm 1/);
    const { libraryCalls } = emulator.counts();
    recording.replay([x]);
    assertEquals([...await x.data()], [2]);
    assertEquals(emulator.counts().libraryCalls, libraryCalls + 1, "the convolution alone");
    recorder.dispose();
    x.dispose();
    measuring.close();
  },
);

measuringTest(
  "convolution() takes cuDNN's estimate where there is no memory to measure in",
  async (folder, emulator) => {
    emulator.setAlgorithmTime(0, 5);
    const { backend: full, workspace } = await startMeasuring(folder);
    emulator.setMemoryBytes(emulator.counts().liveBytes);
    assertEquals(workspace(), NONE);
    full.close();
    assert(!await Deno.stat(`${folder}/cudnn`).catch(() => undefined), "nothing is kept");
  },
);

Deno.test({
  name: "EngineChoices keeps what two processes chose, and other cards' apart",
  ignore: !scratchPermitted(),
  fn: () =>
    withScratch((folder) => {
      const [one, two] = [1, 2].map(() => new EngineChoices(folder, "a card, cuDNN 9.28"));
      one.set("a", "1");
      two.set("b", "2");
      const later = new EngineChoices(folder, "a card, cuDNN 9.28");
      assertEquals([later.get("a"), later.get("b"), later.get("toString")], ["1", "2", undefined]);
      assertEquals(new EngineChoices(folder, "a card, cuDNN 9.29").get("a"), undefined);
      assertEquals([...Deno.readDirSync(folder)].length, 1, "no draft stays");
      return Promise.resolve();
    }),
});

Deno.test("EngineChoices holds what it cannot write", () => {
  const choices = new EngineChoices("/dev/null/engines", "a card");
  choices.set("a", "1");
  assertEquals(choices.get("a"), "1");
});
