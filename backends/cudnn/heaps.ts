/**
 * Heaps: segments of a card's memory, taken of the driver, and the blocks that they are cut into.
 *
 * Best fit over free blocks, split when taken, joined with free neighbours when returned. Small blocks
 * have segments of their own, since one that lives long would keep a large segment apart.
 */

/** Where segments come from: the driver. */
export interface SegmentSource {
  /** Bytes of the card in all. */
  readonly total: number;
  /** Takes a segment; undefined where there is no more memory. */
  allocate(bytes: number): bigint | undefined;
  free(address: bigint): void;
}

/** Blocks up to this size are small. */
const SMALL = 1 << 18;
/** Least bytes of a segment of small and of other blocks. */
const SMALL_SEGMENT = 1 << 22, SEGMENT = 1 << 26;

/** A part of a segment, in use or free. */
export interface Block {
  readonly address: bigint;
  readonly heap: Heap;
  size: number;
  /** Neighbours in the segment. */
  before?: Block;
  behind?: Block;
  free: boolean;
}

/** A heap for small blocks and one for all others. */
export class Heaps {
  readonly #small: Heap;
  readonly #large: Heap;
  #kept: ReadonlySet<bigint> = new Set();

  constructor(source: SegmentSource) {
    this.#small = new Heap(source, SMALL_SEGMENT);
    this.#large = new Heap(source, SEGMENT);
  }

  /** Bytes of all segments. */
  get reserved(): number {
    return this.#small.reserved + this.#large.reserved;
  }

  /** Whether a block is from here. */
  has({ heap }: Block): boolean {
    return heap === this.#small || heap === this.#large;
  }

  #of(size: number): Heap {
    return size <= SMALL ? this.#small : this.#large;
  }

  /** The smallest free block that is large enough, or one of a new segment. */
  take(size: number): Block | undefined {
    return this.#of(size).take(size) ?? this.extend(size);
  }

  /** A block of a new segment. */
  extend(size: number): Block | undefined {
    return this.#of(size).extend(size);
  }

  /** Keeps the segments of now from being trimmed: recorded work uses their free blocks. */
  keepSegments(): void {
    this.#kept = new Set([...this.#small.segments(), ...this.#large.segments()]);
  }

  /** Gives segments without a block in use back to the card, but for those to keep. */
  trim(): void {
    this.#small.trim(this.#kept);
    this.#large.trim(this.#kept);
  }

  /** Gives all segments without a block in use back. */
  dispose(): void {
    this.#kept = new Set();
    this.trim();
  }

  /** Frees all segments; every block is lost. */
  close(): void {
    this.#small.close();
    this.#large.close();
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

  /** The addresses of all segments. */
  segments(): IterableIterator<bigint> {
    return this.#segments.keys();
  }

  /** Frees segments without a block in use, but for some. */
  trim(kept: ReadonlySet<bigint>): void {
    for (const block of [...this.#free.values()].flat()) {
      if (block.before || block.behind || kept.has(block.address)) continue;
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
