/**
 * Uploads: values are copied at once into memory of this process that the card can read by itself, and from
 * there to the card while this thread goes on, and while the card computes.
 *
 * A large piece comes to the card on a stream of its own, into memory that nothing else uses, so that a
 * batch is there before the step that is running has ended; the stream of all work waits for it and copies
 * it to its place, which earlier work may have read until then. A small one takes the stream of all work.
 *
 * Two blocks take turns. One is written again only when the card has read what it held, which a mark in
 * the stream of all work tells, so that uploads of any size go through in pieces.
 */

import type { CudaDevice } from "./device.ts";
import { createHandle, type Handle } from "./ffi/memory.ts";

/** Bytes of a block: several batches of a search. */
const BLOCK = 1 << 23;
/** Pieces begin at multiples of this. */
const ALIGN = 64;
/** Bytes from which on a piece has the other stream: a batch's images, not its labels or tables. */
const LARGE = 1 << 17;

interface StagingBlock {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** As many bytes of the card, for what comes on the other stream. */
  readonly arrivals: bigint;
  /** Behind the last piece that came so. */
  readonly arrived: Handle;
  /** Behind the last copy out of the block. */
  readonly read: Handle;
}

export class Staging implements Disposable {
  readonly #device: CudaDevice;
  readonly #blocks: StagingBlock[];
  /** Of large pieces. */
  readonly #stream: Handle;
  readonly #resources: DisposableStack;
  #current = 0;
  /** Bytes of the current block that are taken. */
  #taken = 0;

  /** @throws {BackendError} If there is no memory for the blocks. */
  constructor(device: CudaDevice) {
    this.#device = device;
    using made = new DisposableStack();
    this.#blocks = [this.#block(made), this.#block(made)];
    this.#stream = made.use(device.newStream());
    this.#resources = made.move();
  }

  #block(made: DisposableStack): StagingBlock {
    const device = this.#device, { cuda } = device.libraries;
    const memory = made.use(createHandle(
      (out) => device.check(cuda.cuMemHostAlloc(out, BigInt(BLOCK), 0), "cuMemHostAlloc"),
      (address) => device.checkRelease(cuda.cuMemFreeHost(address), "cuMemFreeHost"),
    ));
    const pointer = Deno.UnsafePointer.create(memory.address)!;
    const bytes = new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(pointer, BLOCK));
    const arrivals = made.use(createHandle(
      (out) => device.check(cuda.cuMemAlloc_v2(out, BigInt(BLOCK)), "cuMemAlloc to stage uploads"),
      (address) => device.free(address),
    )).address;
    const [arrived, read] = [1, 2].map(() => made.use(device.event()));
    return { bytes, arrivals, arrived, read };
  }

  /** Bytes of the card that it holds. */
  get bytes(): number {
    return this.#resources.disposed ? 0 : this.#blocks.length * BLOCK;
  }

  /** Copies values to an address on the card; they may change as soon as this returns. */
  upload(values: ArrayBufferView<ArrayBuffer>, address: bigint): void {
    const from = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    for (let at = 0; at < from.length;) {
      if (this.#taken >= BLOCK) this.#turn();
      const size = Math.min(from.length - at, BLOCK - this.#taken);
      this.#copy(from.subarray(at, at + size), address + BigInt(at));
      at += size;
    }
  }

  #copy(piece: Uint8Array<ArrayBuffer>, address: bigint): void {
    const size = piece.length, device = this.#device, { stream } = device;
    const { bytes, arrivals, arrived } = this.#blocks[this.#current];
    const place = bytes.subarray(this.#taken, this.#taken + size);
    place.set(piece);
    if (size < LARGE) this.#send(place, { address, stream });
    else {
      const from = arrivals + BigInt(this.#taken);
      this.#send(place, { address: from, stream: this.#stream.address });
      device.record(arrived, this.#stream.address);
      device.await(arrived);
      device.copy({ from, to: address }, size);
    }
    this.#taken += Math.ceil(size / ALIGN) * ALIGN;
  }

  #send(
    place: Uint8Array<ArrayBuffer>,
    { address, stream }: { address: bigint; stream: bigint },
  ): void {
    const { cuda } = this.#device.libraries, size = place.length;
    this.#device.check(
      cuda.cuMemcpyHtoDAsync_v2(address, place, BigInt(size), stream),
      `cuMemcpyHtoDAsync of ${size} bytes`,
    );
  }

  /** Goes on in the other block, as soon as what it held is on the card. */
  #turn(): void {
    this.#device.record(this.#blocks[this.#current].read);
    this.#current = 1 - this.#current;
    this.#device.wait(this.#blocks[this.#current].read);
    this.#taken = 0;
  }

  [Symbol.dispose](): void {
    this.#resources.dispose();
  }
}
