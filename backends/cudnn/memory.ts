/**
 * The memory pool of a card: tensors, scratch and workspaces, cut from segments taken of the driver,
 * which costs a millisecond and waits for the card, where a block of the pool costs a microsecond.
 *
 * Best fit over free blocks, split when taken, joined with free neighbours when returned. Small blocks
 * have segments of their own, since one that lives long would keep a large segment apart. A block may
 * be given out again at once: all work is on one stream, so its next user runs after its last.
 */

import type { BackendMemory } from "../contract.ts";
import { OutOfMemoryError } from "../contract.ts";

/** Where segments come from: the driver. */
export interface SegmentSource {
  /** Bytes of the card in all. */
  readonly total: number;
  /** Takes a segment; undefined where there is no more memory. */
  allocate(bytes: number): bigint | undefined;
  free(address: bigint): void;
}

/** Sizes are multiples of this, and so addresses: the alignment of the driver's own allocations. */
const ALIGN = 256;
/** Blocks up to this size are small. */
const SMALL = 1 << 18;
/** Least bytes of a segment of small and of other blocks. */
const SMALL_SEGMENT = 1 << 22, SEGMENT = 1 << 26;

/** A part of a segment, in use or free. */
interface Block {
  readonly address: bigint;
  readonly heap: Heap;
  size: number;
  /** Neighbours in the segment. */
  before?: Block;
  behind?: Block;
  free: boolean;
}

/** Gives out blocks of a card's memory, and accounts for them. */
export class DevicePool {
  readonly #source: SegmentSource;
  readonly #small: Heap;
  readonly #large: Heap;
  readonly #used = new Map<bigint, Block>();
  #current = 0;
  #peak = 0;

  constructor(source: SegmentSource) {
    this.#source = source;
    this.#small = new Heap(source, SMALL_SEGMENT);
    this.#large = new Heap(source, SEGMENT);
  }

  /** Bytes in use, the largest number so far, and bytes of all segments. */
  get usage(): BackendMemory {
    return {
      current: this.#current,
      peak: this.#peak,
      reserved: this.#small.reserved + this.#large.reserved,
    };
  }

  resetPeak(): void {
    this.#peak = this.#current;
  }

  /**
   * Takes a block. Where the card has no more memory, free segments are given back to it first.
   *
   * @returns Its address, a multiple of 256.
   * @throws {OutOfMemoryError} If no free block is large enough and the card gives no segment.
   */
  take(bytes: number): bigint {
    const size = Math.max(ALIGN, Math.ceil(bytes / ALIGN) * ALIGN);
    const heap = size <= SMALL ? this.#small : this.#large;
    const block = heap.take(size) ?? heap.extend(size) ?? this.#lastResort(heap, size);
    if (!block) {
      throw new OutOfMemoryError("cudnn", {
        bytesAsked: bytes,
        bytesInUse: this.#current,
        limit: this.#source.total,
      });
    }
    this.#used.set(block.address, block);
    this.#current += block.size;
    this.#peak = Math.max(this.#peak, this.#current);
    return block.address;
  }

  #lastResort(heap: Heap, size: number): Block | undefined {
    this.trim();
    return heap.extend(size);
  }

  /** Gives a block back; work on the stream may still use it. */
  release(address: bigint): void {
    const block = this.#used.get(address);
    if (!block) throw new Error(`Cannot free address ${address}: it is not in use`);
    this.#used.delete(address);
    this.#current -= block.size;
    block.heap.release(block);
  }

  /** Gives segments without a block in use back to the card. */
  trim(): void {
    this.#small.trim();
    this.#large.trim();
  }

  /** Frees all segments; every block is lost. */
  close(): void {
    this.#small.close();
    this.#large.close();
    this.#used.clear();
    this.#current = 0;
  }
}

/** Segments of one kind and their free blocks. */
class Heap {
  readonly #source: SegmentSource;
  readonly #least: number;
  /** Bytes of each segment by its address. */
  readonly #segments = new Map<bigint, number>();
  readonly #free = new Map<number, Block[]>();
  /** Sizes that have free blocks, ascending. */
  readonly #sizes: number[] = [];
  reserved = 0;

  constructor(source: SegmentSource, least: number) {
    this.#source = source;
    this.#least = least;
  }

  /** The smallest free block that is large enough. */
  take(size: number): Block | undefined {
    const at = lowerBound(this.#sizes, size);
    if (at === this.#sizes.length) return undefined;
    const block = this.#free.get(this.#sizes[at])!.at(-1)!;
    this.#unlist(block);
    this.#split(block, size);
    return block;
  }

  /** A block of a new segment, of usual size or, where that cannot be had, just large enough. */
  extend(size: number): Block | undefined {
    for (const bytes of new Set([Math.max(size, this.#least), size])) {
      const address = this.#source.allocate(bytes);
      if (address === undefined) continue;
      this.#segments.set(address, bytes);
      this.reserved += bytes;
      const block: Block = { address, heap: this, size: bytes, free: false };
      this.#split(block, size);
      return block;
    }
    return undefined;
  }

  release(block: Block): void {
    const { before, behind } = block;
    if (behind?.free) this.#join(block, behind);
    if (before?.free) {
      this.#unlist(before);
      this.#absorb(before, block);
      this.#list(before);
    } else this.#list(block);
  }

  trim(): void {
    for (const block of [...this.#free.values()].flat()) {
      if (block.before || block.behind) continue;
      this.#unlist(block);
      this.#freeSegment(block.address);
    }
  }

  close(): void {
    for (const address of [...this.#segments.keys()]) this.#freeSegment(address);
    this.#free.clear();
    this.#sizes.length = 0;
  }

  #freeSegment(address: bigint): void {
    this.#source.free(address);
    this.reserved -= this.#segments.get(address)!;
    this.#segments.delete(address);
  }

  /** Leaves `size` bytes in a block, and frees the rest. */
  #split(block: Block, size: number): void {
    const rest = block.size - size;
    if (rest === 0) return;
    const { behind } = block;
    const tail: Block = {
      address: block.address + BigInt(size),
      heap: this,
      size: rest,
      before: block,
      behind,
      free: false,
    };
    if (behind) behind.before = tail;
    block.behind = tail;
    block.size = size;
    this.#list(tail);
  }

  /** Adds the free block behind a block to it. */
  #join(block: Block, behind: Block): void {
    this.#unlist(behind);
    this.#absorb(block, behind);
  }

  #absorb(block: Block, behind: Block): void {
    block.size += behind.size;
    block.behind = behind.behind;
    if (block.behind) block.behind.before = block;
  }

  #list(block: Block): void {
    block.free = true;
    const blocks = this.#free.get(block.size);
    if (blocks) blocks.push(block);
    else {
      this.#free.set(block.size, [block]);
      this.#sizes.splice(lowerBound(this.#sizes, block.size), 0, block.size);
    }
  }

  #unlist(block: Block): void {
    block.free = false;
    const blocks = this.#free.get(block.size)!;
    blocks.splice(blocks.indexOf(block), 1);
    if (blocks.length > 0) return;
    this.#free.delete(block.size);
    this.#sizes.splice(lowerBound(this.#sizes, block.size), 1);
  }
}

/** First position whose value is not below `value`. */
function lowerBound(sorted: readonly number[], value: number): number {
  let low = 0, high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
