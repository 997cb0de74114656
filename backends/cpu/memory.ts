/**
 * The allocator of the CPU backend: blocks of one shared WebAssembly memory of at most 4 GB.
 *
 * The memory has its full size from the start, which takes no more than addresses until a page is
 * touched: in a memory that may grow, every load asks for its size again.
 *
 * Best fit over free blocks kept by size, split when taken, joined with free neighbours when returned;
 * fresh pages are touched only when no block fits, since that costs more than a kernel does.
 * Small blocks are cut from chunks and kept by size for good, since a step makes and frees thousands.
 * Addresses are byte offsets. Large blocks get sizes that are odd multiples of 64 bytes away from a
 * page, so that equal tensors do not start at the same position of every cache way.
 */

import { OutOfMemoryError } from "../contract.ts";

const PAGE = 65536, ALIGN = 64;
/** Blocks from this size on are staggered. */
const LARGE = 65536, CACHE_WAY = 4096, STAGGER = 320;
/** Blocks below this size are small; chunks of them are cut from. */
const SMALL = 8192, CHUNK = 262144;
/** First address given out: below it lie the module's own constants. */
const BASE = PAGE;

/** A typed view of the shared memory. */
export type FloatView = Float32Array<ArrayBufferLike>;

export class Arena {
  readonly memory: WebAssembly.Memory;
  readonly #limit: number;
  /** Sizes of the blocks in use, by address. */
  readonly #used = new Map<number, number>();
  /** Free blocks: size by start, start by end, and starts by size. */
  readonly #freeSize = new Map<number, number>();
  readonly #freeByEnd = new Map<number, number>();
  readonly #starts = new Map<number, number[]>();
  /** Sizes that have free blocks, ascending. */
  #sizes: number[] = [];
  /** Free small blocks by size in units of 64 bytes, and what is left of the current chunk. */
  readonly #small: number[][] = Array.from({ length: SMALL / ALIGN }, () => []);
  #chunk = 0;
  #chunkEnd = 0;
  #end = BASE;
  #current = 0;
  #peak = 0;
  readonly #buffer: ArrayBufferLike;

  /**
   * @param memory A memory that does not grow.
   * @param limit Bytes of it that may be used; by default, and at most, all.
   */
  constructor(memory: WebAssembly.Memory, limit: number = Infinity) {
    this.memory = memory;
    this.#buffer = memory.buffer;
    this.#limit = Math.min(limit, memory.buffer.byteLength);
  }

  /** Bytes in use, the largest number so far, and bytes ever taken from the system. */
  get usage(): { current: number; peak: number; reserved: number } {
    return { current: this.#current, peak: this.#peak, reserved: this.#end };
  }

  resetPeak(): void {
    this.#peak = this.#current;
  }

  /**
   * Takes a block.
   *
   * @returns Its address, a multiple of 64.
   * @throws {OutOfMemoryError} If no free block is large enough and the limit is reached.
   */
  allocate(bytes: number): number {
    const size = blockSize(bytes);
    const address = size < SMALL
      ? this.#takeSmall(size)
      : this.#takeFree(size) ?? this.#extend(size);
    this.#used.set(address, size);
    this.#current += size;
    if (this.#current > this.#peak) this.#peak = this.#current;
    return address;
  }

  /** Gives a block back. */
  free(address: number): void {
    const size = this.#used.get(address);
    if (size === undefined) throw new Error(`Cannot free address ${address}: it is not in use`);
    this.#used.delete(address);
    this.#current -= size;
    if (size < SMALL) this.#small[size / ALIGN].push(address);
    else this.#addFree(address, size);
  }

  /** Float32 view of n elements at an address. The memory never moves: views stay valid. */
  floats(address: number, n: number): FloatView {
    return new Float32Array(this.#buffer, address, n);
  }

  doubles(address: number, n: number): Float64Array<ArrayBufferLike> {
    return new Float64Array(this.#buffer, address, n);
  }

  words(address: number, n: number): Uint32Array<ArrayBufferLike> {
    return new Uint32Array(this.#buffer, address, n);
  }

  ints(address: number, n: number): Int32Array<ArrayBufferLike> {
    return new Int32Array(this.#buffer, address, n);
  }

  bytes(address: number, n: number): Uint8Array<ArrayBufferLike> {
    return new Uint8Array(this.#buffer, address, n);
  }

  #takeSmall(size: number): number {
    const free = this.#small[size / ALIGN].pop();
    if (free !== undefined) return free;
    if (this.#chunk + size > this.#chunkEnd) {
      this.#chunk = this.#takeFree(CHUNK) ?? this.#extend(CHUNK);
      this.#chunkEnd = this.#chunk + CHUNK;
    }
    this.#chunk += size;
    return this.#chunk - size;
  }

  #takeFree(size: number): number | undefined {
    const at = lowerBound(this.#sizes, size);
    if (at === this.#sizes.length) return undefined;
    const found = this.#sizes[at];
    const start = this.#starts.get(found)!.at(-1)!;
    this.#removeFree(start, found);
    if (found > size) this.#addFree(start + size, found - size);
    return start;
  }

  #extend(size: number): number {
    // A free block at the very end is extended.
    const tail = this.#freeByEnd.get(this.#end);
    const start = tail ?? this.#end, end = start + size;
    if (end > this.#limit) {
      throw new OutOfMemoryError("cpu", {
        bytesAsked: size,
        bytesInUse: this.#current,
        limit: this.#limit,
      });
    }
    if (tail !== undefined) this.#removeFree(tail, this.#end - tail);
    this.#end = end;
    return start;
  }

  #addFree(start: number, size: number): void {
    const before = this.#freeByEnd.get(start);
    if (before !== undefined) {
      const beforeSize = start - before;
      this.#removeFree(before, beforeSize);
      start = before;
      size += beforeSize;
    }
    const behind = this.#freeSize.get(start + size);
    if (behind !== undefined) {
      this.#removeFree(start + size, behind);
      size += behind;
    }
    this.#freeSize.set(start, size);
    this.#freeByEnd.set(start + size, start);
    const starts = this.#starts.get(size);
    if (starts) starts.push(start);
    else {
      this.#starts.set(size, [start]);
      this.#sizes.splice(lowerBound(this.#sizes, size), 0, size);
    }
  }

  #removeFree(start: number, size: number): void {
    this.#freeSize.delete(start);
    this.#freeByEnd.delete(start + size);
    const starts = this.#starts.get(size)!;
    starts.splice(starts.indexOf(start), 1);
    if (starts.length === 0) {
      this.#starts.delete(size);
      this.#sizes.splice(lowerBound(this.#sizes, size), 1);
    }
  }
}

function blockSize(bytes: number): number {
  if (bytes < LARGE) return Math.max(ALIGN, Math.ceil(bytes / ALIGN) * ALIGN);
  return Math.ceil(bytes / CACHE_WAY) * CACHE_WAY + STAGGER;
}

/** First position whose value is not below `value`. */
function lowerBound(sorted: number[], value: number): number {
  let low = 0, high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
