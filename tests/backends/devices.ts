/**
 * The devices on which every op suite runs, and how a suite is written once for all of them.
 *
 * A device that is not here is skipped with a printed reason. The first is tfjs's own "cpu" backend, on
 * which each op is its plain composition.
 */

import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { located } from "../../backends/cudnn/ffi/load.ts";
import { permittedVariable } from "../../backends/cudnn/ffi/system.ts";
import { type Backend, startBackend } from "../../backends/mod.ts";
import { permitted } from "../permitted.ts";
import { adapter } from "./adapter.ts";
import { startEmulated } from "./cudnn/emulated.ts";
import { EMULATOR_ABSENT } from "../cuda_emulator/emulator.ts";
import { BFLOAT16_STORAGE, type Tolerance } from "./tolerances.ts";

/** A device under test. */
export interface TestDevice {
  name: string;
  /** Devices of one family must give the same bits. */
  family: string;
  /** False: only cases cheap enough for plain loops in JavaScript run on it. */
  fast: boolean;
  /** Bytes of the largest binding, where that is less than the adapter's. */
  binding?: number;
  /** How near its results must be; default float32's. */
  tolerance?: Tolerance;
  /** Batch norms over fewer values magnify the rounding of these beyond any tolerance; default none. */
  leastNormed?: number;
  /** Why it cannot be tested here. */
  absent?: string;
  /** Makes it tfjs's current backend. */
  start(): Promise<RunningDevice>;
}

/** A started device. */
export interface RunningDevice {
  /** Bytes held by live tensors. */
  bytes(): number;
  /** Absent where steps cannot be recorded. */
  createRecorder?: Backend["createRecorder"];
  close(): void;
}

const COMPOSITION: TestDevice = {
  name: "composition",
  family: "composition",
  fast: false,
  start: async () => {
    await tf.setBackend("cpu");
    return { bytes: () => tf.memory().numBytes, close: () => {} };
  },
};

/** The kernels' sources and cache; their compiler asks whether it runs in CI. */
const CPU_PERMITTED = permitted({ read: ["."], write: [".cache"], env: ["CI"] });

function cpuDevice(
  threads: number,
  { relaxedSimd, wideTiles }: { relaxedSimd?: boolean; wideTiles?: boolean } = {},
): TestDevice {
  const family = relaxedSimd === false ? "cpu with plain SIMD" : "cpu";
  return {
    name: `${family}, ${threads} thread${threads > 1 ? "s" : ""}`,
    family,
    fast: true,
    absent: CPU_PERMITTED
      ? undefined
      : "it needs --allow-read=. --allow-write=.cache --allow-env=CI",
    start: async () => {
      const { backend } = await startBackend("cpu", { threads, relaxedSimd, wideTiles });
      return runningOn(backend);
    },
  };
}

function runningOn(backend: Backend): RunningDevice {
  const { createRecorder } = backend;
  return { bytes: () => backend.memory().current, createRecorder, close: () => backend.close() };
}

/** The least that any WebGPU device has. */
export const SMALLEST_LIMITS = {
  maxBufferSize: 256 * 1024 * 1024,
  maxStorageBufferBindingSize: 128 * 1024 * 1024,
  maxStorageBuffersPerShaderStage: 8,
  maxComputeWorkgroupStorageSize: 16384,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupSizeX: 256,
  maxComputeWorkgroupsPerDimension: 65535,
};

/** The same with bindings so small that the suites' tensors are split. */
export const SMALL_BINDINGS = {
  ...SMALLEST_LIMITS,
  maxStorageBufferBindingSize: 65536,
};

const WEBGPU_ABSENT = adapter
  ? undefined
  : "there is no adapter (on Debian: apt-get install mesa-vulkan-drivers)";

const SUBGROUPS_ABSENT = adapter?.info.subgroupMaxSize ? undefined : "its adapter has no subgroups";

/** The WebGPU adapter that Deno finds, software ones included. */
function webgpuDevice(
  name: string,
  { limits, fast, subgroups }: {
    limits?: typeof SMALLEST_LIMITS;
    fast: boolean;
    subgroups?: boolean;
  },
): TestDevice {
  return {
    name,
    // Sums over slices round otherwise, and sums over subgroups do.
    family: limits === SMALL_BINDINGS || subgroups ? name : "webgpu",
    fast,
    binding: limits?.maxStorageBufferBindingSize,
    absent: WEBGPU_ABSENT ?? (subgroups ? SUBGROUPS_ABSENT : undefined),
    start: async () => {
      // Only where there is an adapter is the backend loaded.
      const { startWebGpuBackend } = await import("../../backends/webgpu/backend.ts");
      const backend = await startWebGpuBackend({ subgroups }, limits);
      return runningOn(backend);
    },
  };
}

/** The cuDNN backend on stand-ins for NVIDIA's libraries that compute on the CPU. */
const CUDNN_EMULATED: TestDevice = {
  name: "cudnn, emulated",
  family: "cudnn",
  fast: true,
  absent: EMULATOR_ABSENT,
  // The suites' tolerances are float32's.
  start: async () => runningOn(await startEmulated({ precision: "fp32" })),
};

/** The cuDNN backend on the libraries that were found before: those of a card, where there is one. */
const CUDNN_FOUND: TestDevice = {
  name: "cudnn",
  family: "cudnn, found",
  fast: true,
  absent: permittedVariable("PDARTS_CUDNN_FOUND") === undefined
    ? "its libraries were not looked for; use `deno task gpu:check`"
    : located().problem,
  start: async () => runningOn((await startBackend("cudnn", { precision: "fp32" })).backend),
};

/** A cudnn device that keeps results of branches as bf16. */
function keepingBf16(device: TestDevice, start: () => Promise<Backend>): TestDevice {
  return {
    ...device,
    name: `${device.name}, bf16`,
    family: `${device.family}, bf16`,
    tolerance: BFLOAT16_STORAGE,
    leastNormed: 16,
    start: async () => runningOn(await start()),
  };
}

/** All devices, in the order in which suites run on them. */
export const DEVICES: readonly TestDevice[] = [
  COMPOSITION,
  // One family: tiles of both widths give the same bits, on any number of threads.
  cpuDevice(1, { wideTiles: false }),
  cpuDevice(2, { wideTiles: true }),
  cpuDevice(2, { relaxedSimd: false }),
  webgpuDevice("webgpu", { fast: true }),
  // The limits change how lists are cut up, not how long a row may be: small cases show it.
  webgpuDevice("webgpu, smallest limits", { limits: SMALLEST_LIMITS, fast: false }),
  webgpuDevice("webgpu, small bindings", { limits: SMALL_BINDINGS, fast: false }),
  webgpuDevice("webgpu, subgroups", { fast: false, subgroups: true }),
  CUDNN_EMULATED,
  CUDNN_FOUND,
];

/** The devices of suites over branches: those on which their results are rounded too. */
export const BRANCH_DEVICES: readonly TestDevice[] = [
  ...DEVICES,
  keepingBf16(CUDNN_EMULATED, () => startEmulated({ precision: "bf16" })),
  keepingBf16(
    CUDNN_FOUND,
    async () => (await startBackend("cudnn", { precision: "bf16" })).backend,
  ),
];

let current: { device: TestDevice; running: RunningDevice } | undefined;
// The process goes on to other files, with this one's device open.
addEventListener("unload", () => current?.running.close());

/** Starts a device, ending the one before it; the same device twice in a row stays. */
async function use(device: TestDevice): Promise<RunningDevice> {
  if (current?.device === device) return current.running;
  current?.running.close();
  current = undefined;
  tf.env().set("IS_TEST", true); // tfjs's greeting is no test output
  current = { device, running: await device.start() };
  return current.running;
}

/** The running device of a test. */
export interface DeviceTest {
  device: TestDevice;
  running: RunningDevice;
  /** Deno's context, for steps. */
  context: Deno.TestContext;
}

/** Registers a test on one device. */
export type RegisterTest = (name: string, body: (on: DeviceTest) => void | Promise<void>) => void;

/**
 * Runs a suite once per device: `suite` registers its tests through the function it gets.
 *
 * Workers of a backend live on between tests, so leaks of resources are looked for by tensor counts.
 */
export function onEachDevice(
  suite: (test: RegisterTest, device: TestDevice) => void,
  devices: readonly TestDevice[] = DEVICES,
): void {
  for (const device of devices) {
    if (device.absent) console.log(`skipping device "${device.name}": ${device.absent}`);
    suite((name, body) => {
      Deno.test({
        name: `${name} [${device.name}]`,
        ignore: device.absent !== undefined,
        sanitizeOps: false,
        sanitizeResources: false,
        fn: async (context) => body({ device, running: await use(device), context }),
      });
    }, device);
  }
}

/** Runs `body` on tfjs's own "cpu" backend, then returns to the current one. */
export async function onComposition<T>(body: () => Promise<T>): Promise<T> {
  const backend = tf.getBackend();
  await tf.setBackend("cpu");
  try {
    return await body();
  } finally {
    await tf.setBackend(backend);
  }
}
