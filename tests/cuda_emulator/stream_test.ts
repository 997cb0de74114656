/** Streams, events and graphs of the emulator, also where work waits for the host. */

import { assert, assertEquals, assertThrows } from "../assert.ts";
import { CUDA_VALUES } from "../../backends/cudnn/ffi/cuda.ts";
import { DriverError } from "../../backends/cudnn/ffi/status.ts";
import { emulatorTest, type Session } from "./session.ts";

const DOUBLE = `extern "C" __global__ void twice(float* x) { x[threadIdx.x] *= 2; }`;

/** A function that puts `x *= 2` on a stream. */
function doubling(session: Session, x: bigint, stream: bigint): () => void {
  const kernel = session.load(DOUBLE)("twice");
  return () => session.launch(kernel, { blocks: 1, threads: 4, arguments: [x], stream });
}

/** Page-locked memory of the host, as four floats. */
function pinned(session: Session): { address: bigint; values: Float32Array } {
  const { cuda } = session.libraries, out = new BigUint64Array(1);
  session.check(cuda.cuMemHostAlloc(out, 16n, 0), "cuMemHostAlloc");
  const buffer = Deno.UnsafePointerView.getArrayBuffer(Deno.UnsafePointer.create(out[0])!, 16);
  return { address: out[0], values: new Float32Array(buffer) };
}

emulatorTest("deferred work shows staging memory that is overwritten too early", (session) => {
  const { cuda } = session.libraries, stream = session.stream(), staging = pinned(session);
  const x = session.upload(new Float32Array(4)),
    view = (address: bigint) =>
      new Uint8Array(
        Deno.UnsafePointerView.getArrayBuffer(Deno.UnsafePointer.create(address)!, 16),
      );
  const upload = () =>
    session.check(
      cuda.cuMemcpyHtoDAsync_v2(x, view(staging.address), 16n, stream),
      "cuMemcpyHtoDAsync",
    );
  for (const [deferred, expected] of [[false, 1], [true, 2]] as const) {
    session.control.setDeferred(deferred);
    staging.values.fill(1);
    upload();
    staging.values.fill(2);
    session.check(cuda.cuStreamSynchronize(stream), "cuStreamSynchronize");
    assertEquals([...session.download(x, new Float32Array(4))], Array(4).fill(expected));
  }
  session.check(cuda.cuMemFreeHost(staging.address), "cuMemFreeHost");
});

emulatorTest("deferred work runs in order, and its events are not ready at once", (session) => {
  const { cuda } = session.libraries, stream = session.stream(), event = new BigUint64Array(1);
  const x = session.upload(new Float32Array([1, 2, 3, 4])), twice = doubling(session, x, stream);
  session.check(cuda.cuEventCreate(event, CUDA_VALUES.CU_EVENT_DISABLE_TIMING), "cuEventCreate");
  session.control.setDeferred(true);
  twice();
  twice();
  session.check(cuda.cuEventRecord(event[0], stream), "cuEventRecord");
  // The default stream does not wait for this one.
  assertEquals([...session.download(x, new Float32Array(4))], [1, 2, 3, 4]);
  assertEquals(cuda.cuEventQuery(event[0]), CUDA_VALUES.CUDA_ERROR_NOT_READY);
  assertEquals(cuda.cuEventQuery(event[0]), CUDA_VALUES.CUDA_SUCCESS);
  assertEquals([...session.download(x, new Float32Array(4))], [4, 8, 12, 16]);
  session.check(cuda.cuEventDestroy_v2(event[0]), "cuEventDestroy");
});

emulatorTest("a stream that waits for an event runs behind the work before it", (session) => {
  const { cuda } = session.libraries, event = new BigUint64Array(1);
  const [first, second] = [session.stream(), session.stream()];
  const x = session.upload(new Float32Array([1, 2, 3, 4])), y = session.upload(new Float32Array(4));
  const twice = doubling(session, x, first);
  session.check(cuda.cuEventCreate(event, CUDA_VALUES.CU_EVENT_DEFAULT), "cuEventCreate");
  session.control.setDeferred(true);
  twice();
  session.check(cuda.cuEventRecord(event[0], first), "cuEventRecord");
  session.check(cuda.cuStreamWaitEvent(second, event[0], 0), "cuStreamWaitEvent");
  session.check(cuda.cuMemcpyDtoDAsync_v2(y, x, 16n, second), "cuMemcpyDtoDAsync");
  session.check(cuda.cuStreamSynchronize(second), "cuStreamSynchronize");
  assertEquals([...session.download(y, new Float32Array(4))], [2, 4, 6, 8]);
});

/** Captures what the body enqueues; gives the executable graph. */
function capture(session: Session, stream: bigint, body: () => void): bigint {
  const { cuda } = session.libraries,
    graph = new BigUint64Array(1),
    executable = new BigUint64Array(1);
  const mode = CUDA_VALUES.CU_STREAM_CAPTURE_MODE_GLOBAL;
  session.check(cuda.cuStreamBeginCapture_v2(stream, mode), "cuStreamBeginCapture");
  body();
  session.check(cuda.cuStreamEndCapture(stream, graph), "cuStreamEndCapture");
  session.check(cuda.cuGraphInstantiateWithFlags(executable, graph[0], 0n), "cuGraphInstantiate");
  session.check(cuda.cuGraphDestroy(graph[0]), "cuGraphDestroy");
  return executable[0];
}

emulatorTest(
  "a captured stream runs nothing until its graph is launched, each time with the values of then",
  (session) => {
    const { cuda } = session.libraries, stream = session.stream();
    const x = session.upload(new Float32Array([1, 2, 3, 4])),
      y = session.upload(new Float32Array(4));
    const twice = doubling(session, x, stream);
    const graph = capture(session, stream, () => {
      twice();
      twice();
      session.check(cuda.cuMemcpyDtoDAsync_v2(y, x, 16n, stream), "cuMemcpyDtoDAsync");
    });
    assertEquals([...session.download(x, new Float32Array(4))], [1, 2, 3, 4]);
    session.check(cuda.cuGraphLaunch(graph, stream), "cuGraphLaunch");
    assertEquals([...session.download(y, new Float32Array(4))], [4, 8, 12, 16]);
    const before = session.control.counts();
    session.check(cuda.cuMemcpyHtoD_v2(x, new Float32Array([1, 1, 1, 2]), 16n), "cuMemcpyHtoD");
    session.check(cuda.cuGraphLaunch(graph, stream), "cuGraphLaunch");
    assertEquals([...session.download(y, new Float32Array(4))], [4, 4, 4, 8]);
    const after = session.control.counts();
    assertEquals(
      [after.launches - before.launches, after.graphLaunches - before.graphLaunches],
      [2, 1],
    );
    session.check(cuda.cuGraphExecDestroy(graph), "cuGraphExecDestroy");
  },
);

emulatorTest("calls that wait or allocate end a capture as failed", (session) => {
  const { cuda } = session.libraries, stream = session.stream();
  const x = session.upload(new Float32Array(4)), twice = doubling(session, x, stream);
  const forbidden: (() => unknown)[] = [
    () => session.allocate(16),
    () => session.download(x, new Float32Array(4)),
    () => session.check(cuda.cuStreamSynchronize(stream), "cuStreamSynchronize"),
    () => session.check(cuda.cuCtxSynchronize(), "cuCtxSynchronize"),
  ];
  for (const call of forbidden) {
    assertThrows(
      () =>
        capture(session, stream, () => {
          twice();
          assertThrows(call, DriverError, "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED");
        }),
      DriverError,
      "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED",
    );
  }
  const graph = capture(session, stream, twice);
  session.check(cuda.cuGraphLaunch(graph, stream), "cuGraphLaunch");
});

emulatorTest("a graph whose memory was freed loses the context", (session) => {
  const { cuda } = session.libraries, stream = session.stream(), freed = new BigUint64Array(1);
  const y = session.upload(new Float32Array(4));
  session.check(cuda.cuMemAlloc_v2(freed, 16n), "cuMemAlloc");
  const graph = capture(
    session,
    stream,
    () => session.check(cuda.cuMemcpyDtoDAsync_v2(y, freed[0], 16n, stream), "cuMemcpyDtoDAsync"),
  );
  session.check(cuda.cuMemFree_v2(freed[0]), "cuMemFree");
  session.check(cuda.cuGraphLaunch(graph, stream), "cuGraphLaunch");
  const error = assertThrows(() => session.allocate(4), DriverError, "CUDA_ERROR_ILLEGAL_ADDRESS");
  assert(error.message.includes("not allocated"), error.message);
});
