/**
 * tfjs-backend-webgpu as it is, on a device of our own making: what our WebGPU backend is compared with.
 *
 * It has none of our kernels, so every op of `backends/ops/` is its plain tfjs composition. Like our
 * backend it computes all of it on the device (WEBGPU_CPU_FORWARD off), with the adapter's own limits.
 */

import { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import * as tf from "@tensorflow/tfjs-core";
import { type AdapterChoice, type Backend, BackendError } from "../../backends/contract.ts";
import { openDevice } from "../../backends/webgpu/device.ts";

/** Its name in tfjs's registry, under which it registers its kernels itself. */
const NAME = "webgpu";

/** The backend, which throws at the next read what the device reported. */
class TfjsWebGpuBackend extends WebGPUBackend {
  #failure: string | undefined;

  constructor(device: GPUDevice, info: GPUAdapterInfo) {
    super(device, info);
    device.addEventListener("uncapturederror", (event) => {
      event.preventDefault();
      this.#failure ??= (event as GPUUncapturedErrorEvent).error.message;
    });
    device.lost.then(({ reason, message }) => {
      if (reason !== "destroyed") this.#failure ??= `the device was lost: ${message}`;
    });
  }

  override async read(dataId: tf.DataId): Promise<tf.backend_util.BackendValues> {
    const values = await super.read(dataId);
    if (this.#failure !== undefined) {
      throw new BackendError("webgpu", `tfjs-backend-webgpu failed: ${this.#failure}`);
    }
    return values;
  }

  override dispose(): void {
    super.dispose();
    this.device.destroy();
  }
}

/**
 * Starts it and makes it tfjs's current backend. Its account has no peak: the bytes reserved stand in.
 *
 * @throws {BackendError} If there is no adapter, or it gives no device.
 */
export async function startTfjsWebGpu(adapter: AdapterChoice): Promise<Backend> {
  const { device, info, description } = await openDevice(adapter);
  tf.env().set("WEBGPU_CPU_FORWARD", false);
  const backend = new TfjsWebGpuBackend(device, info);
  tf.removeBackend(NAME);
  tf.registerBackend(NAME, () => backend);
  await tf.setBackend(NAME);
  return {
    name: "webgpu",
    tfjsName: NAME,
    description: `tfjs-backend-webgpu, ${description.name}`,
    memory: () => {
      const { numBytesUsed: current, numBytesAllocated: reserved } = backend.bufferManager;
      return { current, peak: reserved, reserved };
    },
    resetPeak: () => {},
    close: () => tf.removeBackend(NAME),
  };
}
