/** The backends that record steps, and how a test is written once for all of them. */

import type { Backend } from "../../backends/contract.ts";
import { cudnnTest } from "./cudnn/cudnn_test_case.ts";
import { webgpuTest } from "./webgpu/webgpu_test_case.ts";

/** What a test gets: a backend of its own, which no other test has used or will use. */
export interface RecordingTest {
  backend: Backend;
}

/** The same where memory is short. */
export interface LittleMemoryTest extends RecordingTest {
  /** From now on there is no room for a tensor of more than a quarter of a megabyte. */
  fillMemory(): void;
}

export interface RecordingBackend {
  /** Registers a test. */
  test(name: string, body: (on: RecordingTest) => void | Promise<void>): void;
  testInLittleMemory(name: string, body: (on: LittleMemoryTest) => void | Promise<void>): void;
  /** Bytes that a tensor of four leaves reserved. */
  kept: number;
}

const LIMIT = 1 << 18;

export const RECORDING_BACKENDS: readonly RecordingBackend[] = [
  {
    test: (name, body) => webgpuTest(name, body),
    testInLittleMemory: (name, body) =>
      webgpuTest(
        name,
        ({ backend }) => body({ backend, fillMemory: () => {} }),
        { maxBufferSize: LIMIT },
      ),
    kept: 4,
  },
  {
    test: (name, body) => cudnnTest(name, body),
    testInLittleMemory: (name, body) =>
      cudnnTest(name, ({ backend, emulator }) => {
        emulator.setChecked(true); // memory that was given back cannot be used
        const fillMemory = () => emulator.setMemoryBytes(emulator.counts().liveBytes);
        return body({ backend, fillMemory });
      }),
    kept: 0,
  },
];
