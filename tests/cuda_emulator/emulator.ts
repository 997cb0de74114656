/**
 * The CUDA emulator for tests: whether it is here, its libraries, and its faults.
 *
 * What the functions below mean is in driver/faults.cpp.
 */

import type { Libraries, LibraryFiles } from "../../backends/cudnn/ffi/open.ts";
import { permitted } from "../permitted.ts";
import { EMULATOR_FOLDER, isEmulatorBuilt } from "./build.ts";

const CONTROL_FUNCTIONS = {
  pdartsEmulatorReset: { parameters: [], result: "void" },
  pdartsEmulatorSetMemoryBytes: { parameters: ["u64"], result: "void" },
  pdartsEmulatorFailAllocation: { parameters: ["i32"], result: "void" },
  pdartsEmulatorFailLaunch: { parameters: ["i32"], result: "void" },
  pdartsEmulatorLoseDevice: { parameters: [], result: "void" },
  pdartsEmulatorSetChecked: { parameters: ["i32"], result: "void" },
  pdartsEmulatorSetDeferred: { parameters: ["i32"], result: "void" },
  pdartsEmulatorSetAlgorithmTime: { parameters: ["i32", "f64"], result: "void" },
  pdartsEmulatorGetCounts: { parameters: ["buffer"], result: "void" },
} as const;

/** In the order of `Counts` in driver/state.h. */
const COUNT_NAMES = [
  ...["launches", "libraryCalls", "copies", "graphLaunches"] as const,
  ...["allocations", "liveAllocations", "liveBytes", "peakBytes"] as const,
];

/** What the emulator has done since its last reset, and holds. */
export type EmulatorCounts = Record<(typeof COUNT_NAMES)[number], number>;

/** Why the emulator cannot be used here, if so. */
export const EMULATOR_ABSENT: string | undefined = absence();

function absence(): string | undefined {
  const { os, arch } = Deno.build;
  if (os !== "linux" || arch !== "x86_64") return "the CUDA emulator is for Linux on x86-64";
  if (!permitted({ read: ["."], ffi: true })) return "it needs --allow-read=. --allow-ffi";
  if (!isEmulatorBuilt()) {
    return "the CUDA emulator is not built from these sources; use `deno task test:cudnn:emulator`";
  }
}

/** Its libraries, as discovery would find NVIDIA's. */
export function emulatorFiles(): LibraryFiles {
  const at = (file: string) => Deno.realPathSync(`${EMULATOR_FOLDER}/${file}`);
  return {
    cuda: at("libcuda.so.1"),
    cudnn: at("libcudnn.so.9"),
    toolkits: [{
      major: 13,
      cublas: at("libcublas.so.13"),
      nvrtc: at("libnvrtc.so.13"),
      before: [at("libcublasLt.so.13"), at("libnvrtc-builtins.so.13.0")],
    }],
  };
}

/** Opens its libraries as the product opens NVIDIA's. */
export async function openEmulator(): Promise<Libraries> {
  const { openLibraries } = await import("../../backends/cudnn/ffi/open.ts");
  return openLibraries(emulatorFiles());
}

/** Faults, modes and counts of the emulator in this process. */
export interface EmulatorControl {
  /** A device as a new process finds it, but for what is still allocated. */
  reset(): void;
  /** Allocations beyond this fail. */
  setMemoryBytes(bytes: number): void;
  /** The n-th allocation from now fails; 0: none. */
  failAllocation(n: number): void;
  /** The n-th kernel from now fails, and the context is lost; 0: none. */
  failLaunch(n: number): void;
  /** All calls fail until the next reset. */
  loseDevice(): void;
  /** Memory begins as NaNs, and a kernel that leaves an allocation fails. For what is allocated from now on. */
  setChecked(checked: boolean): void;
  /** Work waits until the host synchronises: that of other streams, in no order with it, last or first. */
  setDeferred(deferred: boolean | "others first"): void;
  /** What a convolution by one of cuDNN's two algorithms takes, by the time of events. */
  setAlgorithmTime(algorithm: 0 | 1, milliseconds: number): void;
  counts(): EmulatorCounts;
}

/** Opens the emulator's own functions. */
export function emulatorControl(): EmulatorControl {
  const path = Deno.realPathSync(`${EMULATOR_FOLDER}/libcuda.so.1`);
  const { symbols } = Deno.dlopen(path, CONTROL_FUNCTIONS);
  return {
    reset: () => symbols.pdartsEmulatorReset(),
    setMemoryBytes: (bytes) => symbols.pdartsEmulatorSetMemoryBytes(BigInt(bytes)),
    failAllocation: (n) => symbols.pdartsEmulatorFailAllocation(n),
    failLaunch: (n) => symbols.pdartsEmulatorFailLaunch(n),
    loseDevice: () => symbols.pdartsEmulatorLoseDevice(),
    setChecked: (checked) => symbols.pdartsEmulatorSetChecked(Number(checked)),
    setDeferred: (deferred) =>
      symbols.pdartsEmulatorSetDeferred(deferred === "others first" ? 2 : Number(deferred)),
    setAlgorithmTime: (algorithm, milliseconds) =>
      symbols.pdartsEmulatorSetAlgorithmTime(algorithm, milliseconds),
    counts: () => {
      const values = new BigUint64Array(COUNT_NAMES.length);
      symbols.pdartsEmulatorGetCounts(values);
      return Object.fromEntries(
        COUNT_NAMES.map((name, index) => [name, Number(values[index])]),
      ) as EmulatorCounts;
    },
  };
}
