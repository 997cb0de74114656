/**
 * Memory of this process that the card can read by itself: values are copied into it at once, and from
 * there to the card while this thread goes on.
 *
 * Two blocks take turns. One is written again only when the card has read what it held, which a mark in
 * the stream tells, so that uploads of any size go through in pieces.
 */

import type { CudaDevice } from "./device.ts";
import { createHandle, type Handle } from "./ffi/memory.ts";

/** Bytes of a block: several batches of a search. */
const BLOCK = 1 << 23;
/** Pieces begin at multiples of this. */
const ALIGN = 64;

interface StagingBlock {
  readonly memory: Handle;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Behind the last copy out of the block. */
  readonly read: Handle;
}

export class Staging implements Disposable {
  readonly #device: CudaDevice;
  readonly #blocks: StagingBlock[];
  #current = 0;
  /** Bytes of the current block that are taken. */
  #taken = 0;

  constructor(device: CudaDevice) {
    this.#device = device;
    this.#blocks = [this.#block(), this.#block()];
  }

  #block(): StagingBlock {
    const { cuda } = this.#device.libraries;
    const memory = createHandle(
      (out) => this.#device.check(cuda.cuMemHostAlloc(out, BigInt(BLOCK), 0), "cuMemHostAlloc"),
      (address) => this.#device.checkRelease(cuda.cuMemFreeHost(address), "cuMemFreeHost"),
    );
    const pointer = Deno.UnsafePointer.create(memory.address)!;
    const bytes = new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(pointer, BLOCK));
    return { memory, bytes, read: this.#device.event() };
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
    const { cuda } = this.#device.libraries, size = piece.length;
    const place = this.#blocks[this.#current].bytes.subarray(this.#taken, this.#taken + size);
    place.set(piece);
    this.#device.check(
      cuda.cuMemcpyHtoDAsync_v2(address, place, BigInt(size), this.#device.stream),
      `cuMemcpyHtoDAsync of ${size} bytes`,
    );
    this.#taken += Math.ceil(size / ALIGN) * ALIGN;
  }

  /** Goes on in the other block, as soon as what it held is on the card. */
  #turn(): void {
    this.#device.record(this.#blocks[this.#current].read);
    this.#current = 1 - this.#current;
    this.#device.wait(this.#blocks[this.#current].read);
    this.#taken = 0;
  }

  [Symbol.dispose](): void {
    for (const { memory, read } of this.#blocks) {
      read[Symbol.dispose]();
      memory[Symbol.dispose]();
    }
  }
}
