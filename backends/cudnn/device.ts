/**
 * A card through the driver: its context, its stream, memory and copies.
 *
 * Invariant: all that reads or writes the pool's memory runs on one stream, in the order of the calls. So
 * memory may be used again as soon as its last reader is launched, and a copy to the card sees what was
 * computed before it. Other streams ({@linkcode newStream}) have memory of their own.
 * Statuses are checked at the call; what fails later, on the card, is told by the call that waits.
 */

import { BackendError } from "../contract.ts";
import type { Copy } from "../homes.ts";
import { CUDA_VALUES } from "./ffi/cuda.ts";
import { createHandle, cText, type Handle } from "./ffi/memory.ts";
import type { Libraries } from "./ffi/open.ts";
import { checkCuda } from "./ffi/status.ts";
import type { SegmentSource } from "./heaps.ts";

/** What decides how kernels split their work. */
export interface DeviceLimits {
  readonly multiprocessors: number;
  readonly computeCapability: readonly [major: number, minor: number];
  readonly maxSharedBytesPerBlock: number;
}

export class CudaDevice implements SegmentSource, Disposable {
  readonly libraries: Libraries;
  /** Such as `NVIDIA H100 80GB HBM3`. */
  readonly name: string;
  readonly limits: DeviceLimits;
  /** Bytes of its memory. */
  readonly total: number;
  /** The last work that was launched, for errors that are told later. */
  last = "the start";
  /** Whether a call has failed: all later ones may, and those that give something back are let go. */
  failed = false;
  /** Whether work is being captured instead of run; then all earlier work has ended. */
  capturing = false;
  readonly #ordinal: number;
  readonly #stream: Handle;
  /** Where the driver writes an address. */
  readonly #out = new BigUint64Array(1);

  /**
   * Opens a card and makes its context the current one of this thread.
   *
   * @throws {BackendError} If there is no card, or it gives no context.
   */
  constructor(libraries: Libraries) {
    const { cuda } = libraries, integer = new Int32Array(1);
    this.libraries = libraries;
    this.check(cuda.cuInit(0), "cuInit");
    this.check(cuda.cuDeviceGetCount(integer), "cuDeviceGetCount");
    if (integer[0] === 0) throw new BackendError("cudnn", "Cannot use CUDA: there is no card");
    this.check(cuda.cuDeviceGet(integer, 0), "cuDeviceGet");
    this.#ordinal = integer[0];
    const name = new Uint8Array(256), bytes = new BigUint64Array(1);
    this.check(cuda.cuDeviceGetName(name, name.length, this.#ordinal), "cuDeviceGetName");
    this.check(cuda.cuDeviceTotalMem_v2(bytes, this.#ordinal), "cuDeviceTotalMem");
    this.name = cText(name);
    this.total = Number(bytes[0]);
    this.limits = {
      multiprocessors: this.#attribute("CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT"),
      computeCapability: [
        this.#attribute("CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR"),
        this.#attribute("CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR"),
      ],
      maxSharedBytesPerBlock: this.#attribute("CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK"),
    };
    const context = new BigUint64Array(1);
    this.check(
      cuda.cuDevicePrimaryCtxRetain(context, this.#ordinal),
      "cuDevicePrimaryCtxRetain",
    );
    this.check(cuda.cuCtxSetCurrent(context[0]), "cuCtxSetCurrent");
    this.#stream = this.newStream();
  }

  /** A stream beside that of all work, in no order with it but by events. */
  newStream(): Handle {
    const { cuda } = this.libraries, flags = CUDA_VALUES.CU_STREAM_NON_BLOCKING;
    return createHandle(
      (out) => this.check(cuda.cuStreamCreate(out, flags), "cuStreamCreate"),
      (stream) => this.checkRelease(cuda.cuStreamDestroy_v2(stream), "cuStreamDestroy"),
    );
  }

  /**
   * The stream of all work.
   *
   * @throws {BackendError} If it was ended.
   */
  get stream(): bigint {
    this.requireOpen();
    return this.#stream.address;
  }

  /** Whether the stream was ended, and with it all that was on the card. */
  get closed(): boolean {
    return this.#stream.address === 0n;
  }

  /** @throws {BackendError} If the stream was ended. */
  requireOpen(): void {
    if (this.closed) throw new BackendError("cudnn", "Cannot use cudnn: its backend was closed");
  }

  /**
   * Passes a success of the driver.
   *
   * @param call The function's name, and what it was called for.
   * @throws {DriverError} Where the status says that the call failed.
   */
  check(status: number, call: string): void {
    if (status === CUDA_VALUES.CUDA_SUCCESS) return;
    this.failed = true;
    checkCuda(this.libraries.cuda, status, call);
  }

  /** The same for a call that gives something back, which a card that has failed may refuse. */
  checkRelease(status: number, call: string): void {
    if (!this.failed) this.check(status, call);
  }

  #attribute(name: keyof typeof CUDA_VALUES & `CU_DEVICE_ATTRIBUTE_${string}`): number {
    const value = new Int32Array(1), { cuda } = this.libraries;
    this.check(
      cuda.cuDeviceGetAttribute(value, CUDA_VALUES[name], this.#ordinal),
      "cuDeviceGetAttribute",
    );
    return value[0];
  }

  /** Takes memory; undefined where the card has no more. */
  allocate(bytes: number): bigint | undefined {
    const status = this.libraries.cuda.cuMemAlloc_v2(this.#out, BigInt(bytes));
    if (status === CUDA_VALUES.CUDA_ERROR_OUT_OF_MEMORY) return undefined;
    this.check(status, `cuMemAlloc of ${bytes} bytes after ${this.last}`);
    return this.#out[0];
  }

  free(address: bigint): void {
    this.checkRelease(this.libraries.cuda.cuMemFree_v2(address), `cuMemFree after ${this.last}`);
  }

  /** Copies values from the card, all of whose writers have ended, while later work runs. */
  download(to: ArrayBufferView<ArrayBuffer>, address: bigint): void {
    const { cuda } = this.libraries, bytes = to.byteLength;
    if (bytes === 0) return;
    this.check(
      cuda.cuMemcpyDtoH_v2(to, address, BigInt(bytes)),
      `cuMemcpyDtoH of ${bytes} bytes after ${this.last}`,
    );
  }

  /** Puts a copy between two addresses of the card into the stream. */
  copy({ from, to }: Copy<bigint>, bytes: number): void {
    const { cuda } = this.libraries;
    this.check(
      cuda.cuMemcpyDtoDAsync_v2(to, from, BigInt(bytes), this.stream),
      `cuMemcpyDtoDAsync of ${bytes} bytes after ${this.last}`,
    );
  }

  /** Waits until all work so far has ended. */
  synchronize(): void {
    const status = this.libraries.cuda.cuStreamSynchronize(this.stream);
    this.check(status, `cuStreamSynchronize after ${this.last}`);
  }

  /** Waits until nothing runs any more, which is so while work is captured. */
  settle(): void {
    if (!this.capturing) this.synchronize();
  }

  /** Resolves when all work so far has ended, and leaves this thread to others until then. */
  async reached(): Promise<void> {
    using event = this.event();
    this.record(event);
    while (!this.#passed(event)) await new Promise((resolve) => setTimeout(resolve));
  }

  #passed(event: Handle): boolean {
    this.requireOpen();
    const status = this.libraries.cuda.cuEventQuery(event.address);
    if (status === CUDA_VALUES.CUDA_ERROR_NOT_READY) return false;
    this.check(status, `cuEventQuery after ${this.last}`);
    return true;
  }

  /** A mark that can be put into a stream, and ends with it; by default without the time. */
  event(flags: number = CUDA_VALUES.CU_EVENT_DISABLE_TIMING): Handle {
    const { cuda } = this.libraries;
    return createHandle(
      (out) => this.check(cuda.cuEventCreate(out, flags), "cuEventCreate"),
      (address) => {
        if (!this.closed) this.checkRelease(cuda.cuEventDestroy_v2(address), "cuEventDestroy");
      },
    );
  }

  /** Puts a mark behind all work so far, or behind that of another stream. */
  record({ address }: Handle, stream = this.stream): void {
    this.check(this.libraries.cuda.cuEventRecord(address, stream), "cuEventRecord");
  }

  /** Lets all work from now on wait for what is before a mark; this thread goes on. */
  await({ address }: Handle): void {
    const status = this.libraries.cuda.cuStreamWaitEvent(this.stream, address, 0);
    this.check(status, "cuStreamWaitEvent");
  }

  /** Waits until the work before a mark has ended. */
  wait({ address }: Handle): void {
    const status = this.libraries.cuda.cuEventSynchronize(address);
    this.check(status, `cuEventSynchronize after ${this.last}`);
  }

  /** Ends the stream and gives the context up. */
  [Symbol.dispose](): void {
    const { cuda } = this.libraries;
    this.#stream[Symbol.dispose]();
    this.checkRelease(
      cuda.cuDevicePrimaryCtxRelease_v2(this.#ordinal),
      "cuDevicePrimaryCtxRelease",
    );
  }
}
