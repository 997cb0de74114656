/**
 * CUDA graphs: what is put into the stream is captured instead of run, and launched as often as wanted by
 * one call.
 *
 * The capture is relaxed: this thread may take memory and load modules meanwhile, and nothing else uses
 * the context but streams of their own. What waits for the stream, or marks a moment of it, ends a capture
 * as failed. Earlier work has ended when a capture begins, so that what is measured meanwhile has the card
 * to itself.
 */

import type { CudaDevice } from "./device.ts";
import { CUDA_VALUES } from "./ffi/cuda.ts";
import { createHandle, Handle } from "./ffi/memory.ts";

/**
 * Captures what `body` puts into the stream.
 *
 * @returns A graph that can be launched.
 * @throws {DriverError} If the driver refuses the capture, or whatever `body` throws; nothing stays then.
 */
export function captureGraph(device: CudaDevice, body: () => void): Handle {
  const { cuda } = device.libraries, mode = CUDA_VALUES.CU_STREAM_CAPTURE_MODE_RELAXED;
  device.synchronize();
  device.check(cuda.cuStreamBeginCapture_v2(device.stream, mode), "cuStreamBeginCapture");
  device.capturing = true;
  try {
    body();
  } catch (error) {
    endCapture(device).graph[Symbol.dispose]();
    throw error;
  }
  const { status, graph } = endCapture(device);
  using _ = graph;
  device.check(status, `cuStreamEndCapture after ${device.last}`);
  return createHandle(
    (out) =>
      device.check(
        cuda.cuGraphInstantiateWithFlags(out, graph.address, 0n),
        `cuGraphInstantiate after ${device.last}`,
      ),
    (address) => {
      if (!device.closed) {
        device.checkRelease(cuda.cuGraphExecDestroy(address), "cuGraphExecDestroy");
      }
    },
  );
}

/** The graph is none, at address 0, where the capture failed. */
function endCapture(device: CudaDevice): { status: number; graph: Handle } {
  const { cuda } = device.libraries, out = new BigUint64Array(1);
  device.capturing = false;
  const status = cuda.cuStreamEndCapture(device.stream, out);
  const destroy = (address: bigint) =>
    device.checkRelease(cuda.cuGraphDestroy(address), "cuGraphDestroy");
  return { status, graph: new Handle(out[0], destroy) };
}

/** Puts a graph into the stream. */
export function launchGraph(device: CudaDevice, { address }: Handle): void {
  const status = device.libraries.cuda.cuGraphLaunch(address, device.stream);
  device.check(status, `cuGraphLaunch after ${device.last}`);
  device.last = "a recorded step";
}
