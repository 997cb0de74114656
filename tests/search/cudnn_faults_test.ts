/** Tests of whole searches on cudnn, emulated, where a kernel fails or memory does not do. */

import type { Backend } from "../../backends/contract.ts";
import { RunError } from "../../nn/run_files.ts";
import { assert, assertEquals, assertMatch, assertRejects } from "../assert.ts";
import { startEmulated } from "../backends/cudnn/emulated.ts";
import {
  EMULATOR_ABSENT,
  type EmulatorControl,
  emulatorControl,
} from "../cuda_emulator/emulator.ts";
import { permitted } from "../permitted.ts";
import { searchHere } from "./in_process.ts";
import { inFolder, TINY_NETWORK } from "./program.ts";

const MEGABYTE = 1024 * 1024;

function test(
  name: string,
  body: (folder: string, emulator: EmulatorControl) => Promise<void>,
): void {
  Deno.test({
    name: `${name} [cudnn, emulated]`,
    ignore: EMULATOR_ABSENT !== undefined ||
      !permitted({ read: [".", "/tmp"], write: [".cache", "/tmp"] }),
    sanitizeResources: false, // the libraries stay open
    fn: () =>
      inFolder(async (folder) => {
        const emulator = emulatorControl();
        try {
          await body(folder, emulator);
        } finally {
          emulator.reset();
        }
      }),
  });
}

test(
  "a search whose kernel fails says so and keeps its checkpoint",
  async (folder, emulator) => {
    const args = [
      "--train-images=32",
      "--batch=16",
      "--checkpoint-minutes=0",
      "--report-every=1",
      `--save=${folder}/run`,
    ];
    let reports = 2;
    /** Arms the fault when the search asks for the memory the second time: behind a checkpoint. */
    const startFailing = async (): Promise<Backend> => {
      const backend = await startEmulated();
      return {
        ...backend,
        memory: () => {
          if (--reports === 0) emulator.failLaunch(10);
          return backend.memory();
        },
      };
    };
    const { message } = await assertRejects(
      () => searchHere([...TINY_NETWORK, ...args], startFailing),
      RunError,
    );
    assertMatch(
      message,
      /^Cannot run cu\w+ .*on cudnn: CUDA_ERROR_LAUNCH_FAILED, .*; the last checkpoint/,
    );
    assert(message.includes(`--resume=${folder}/run`) && !message.includes("\n"), message);
  },
);

test(
  "a search that does not fit says its bytes and a batch that does",
  async (folder, emulator) => {
    // 32 for the search, and 16 that uploads come to first.
    emulator.setMemoryBytes(emulator.counts().liveBytes + 48 * MEGABYTE);
    const run = (batch: number, images: number) =>
      searchHere([
        ...[...TINY_NETWORK, `--train-images=${images}`, `--batch=${batch}`],
        `--save=${folder}/${batch}`,
      ], startEmulated);
    const { message } = await assertRejects(() => run(64, 128));
    const found = /^Cannot allocate \d+ bytes on cudnn: .* --batch=(\d+)$/.exec(message);
    assert(found, message);
    const batch = Number(found[1]);
    assert(batch >= 8 && batch < 64, message);
    assertEquals(await run(batch, 2 * batch), "done");
  },
);
