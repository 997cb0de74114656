/** What tfjs-backend-webgpu 4.22 declares private and encodes its own programs with. */

import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import type { DataId } from "@tensorflow/tfjs-core";

/** Its private fields. */
export interface TfjsInternals {
  commandEncoder: GPUCommandEncoder | null;
  computePassEncoder: GPUComputePassEncoder | null;
  dispatchCountInPass: number;
  uniformPendingDisposal: GPUBuffer[];
  commandQueueOwnedIds: WeakSet<DataId>;
  recordAndSubmit(...call: unknown[]): void;
}

/** The private fields of a backend. */
export function internalsOf(backend: WebGPUBackend): TfjsInternals {
  return backend as unknown as TfjsInternals;
}

/** Runs `body`, whose calls of tfjs's own programs are encoded into `pass` and not into the open one. */
export function encodingInto<T>(
  backend: WebGPUBackend,
  pass: GPUComputePassEncoder,
  body: () => T,
): T {
  const inner = internalsOf(backend), { recordAndSubmit } = inner;
  inner.recordAndSubmit = (...call) => {
    inner.computePassEncoder = pass;
    try {
      recordAndSubmit.apply(backend, call);
    } finally {
      // The pass keeps its uniforms, and is no reason to put off the disposal of tensors.
      Object.assign(inner, {
        computePassEncoder: null,
        dispatchCountInPass: 0,
        uniformPendingDisposal: [],
        commandQueueOwnedIds: new WeakSet(),
      });
    }
  };
  try {
    return body();
  } finally {
    inner.recordAndSubmit = recordAndSubmit;
  }
}
