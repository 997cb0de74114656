/**
 * The memory pool of a card: tensors, scratch and workspaces, cut from segments taken of the driver,
 * which costs a millisecond and waits for the card, where a block of the pool costs a microsecond.
 *
 * Invariants: a block may be given out again at once: all work is on one stream, so its next user runs
 * after its last. A block goes back to its heap when released, or has an owner, who is told instead.
 * Bytes that owners keep and no tensor holds are reserved, not current.
 */

import type { BackendMemory } from "../contract.ts";
import { OutOfMemoryError } from "../contract.ts";
import type { PlaceOwner } from "../homes.ts";
import { type Block, Heaps, type SegmentSource } from "./heaps.ts";

/** Sizes are multiples of this, and so addresses: the alignment of the driver's own allocations. */
const ALIGN = 256;

/** Gives out blocks of a card's memory, and accounts for them. */
export class DevicePool {
  readonly #source: SegmentSource;
  readonly #ordinary: Heaps;
  readonly #others = new Set<Heaps>();
  /** Where blocks come from now. */
  #heaps: Heaps;
  readonly #used = new Map<bigint, Block>();
  readonly #owners = new Map<bigint, PlaceOwner<bigint>>();
  #current = 0;
  #peak = 0;

  constructor(source: SegmentSource) {
    this.#source = source;
    this.#ordinary = this.#heaps = new Heaps(source);
  }

  /** Bytes in use, the largest number so far, and bytes of all segments. */
  get usage(): BackendMemory {
    const reserved = [this.#ordinary, ...this.#others].reduce(
      (sum, heaps) => sum + heaps.reserved,
      0,
    );
    return { current: this.#current, peak: this.#peak, reserved };
  }

  resetPeak(): void {
    this.#peak = this.#current;
  }

  /** Notes that so many bytes more are in use for a while. */
  notePeak(more = 0): void {
    this.#peak = Math.max(this.#peak, this.#current + more);
  }

  /**
   * Takes a block. Where the card has no more memory, free segments are given back to it first.
   *
   * @returns Its address, a multiple of 256.
   * @throws {OutOfMemoryError} If no free block is large enough and the card gives no segment.
   */
  take(bytes: number): bigint {
    return this.#take(this.#heaps, bytes);
  }

  #take(heaps: Heaps, bytes: number): bigint {
    const size = Math.max(ALIGN, Math.ceil(bytes / ALIGN) * ALIGN);
    const block = heaps.take(size) ?? this.#lastResort(heaps, size);
    if (!block) {
      throw new OutOfMemoryError("cudnn", {
        bytesAsked: bytes,
        bytesInUse: this.#current,
        limit: this.#source.total,
      });
    }
    this.#used.set(block.address, block);
    this.#current += block.size;
    this.notePeak();
    return block.address;
  }

  #lastResort(heaps: Heaps, size: number): Block | undefined {
    this.trim();
    return heaps.extend(size);
  }

  /** Takes a block that counts as reserved and not as in use, whatever heaps others come from. */
  reserve(bytes: number): bigint {
    const address = this.#take(this.#ordinary, bytes);
    this.countIdle(address, 1);
    return address;
  }

  /** Gives a reserved block back. */
  unreserve(address: bigint): void {
    this.countIdle(address, -1);
    this.release(address);
  }

  /** Gives a block back; work on the stream may still use it. */
  release(address: bigint): void {
    const owner = this.#owners.get(address);
    if (owner) return owner.released(address);
    const block = this.#blockAt(address);
    this.#used.delete(address);
    this.#current -= block.size;
    block.heap.release(block);
  }

  #blockAt(address: bigint): Block {
    const block = this.#used.get(address);
    if (!block) throw new Error(`Cannot free address ${address}: it is not in use`);
    return block;
  }

  /** Bytes of a block in use, which may be more than were asked for. */
  sizeOf(address: bigint): number {
    return this.#blockAt(address).size;
  }

  /** From now on an owner is told when a block is released. */
  own(address: bigint, owner: PlaceOwner<bigint>): void {
    this.#owners.set(address, owner);
  }

  /** A block has no owner any more. */
  disown(address: bigint): void {
    this.#owners.delete(address);
  }

  /** Counts a block as kept and held by no tensor (1), or no longer (-1). */
  countIdle(address: bigint, change: 1 | -1): void {
    this.#current -= change * this.sizeOf(address);
    this.notePeak();
  }

  /** Heaps of their own, for {@linkcode from}; give them back with {@linkcode removeHeaps}. */
  addHeaps(): Heaps {
    const heaps = new Heaps(this.#source);
    this.#others.add(heaps);
    return heaps;
  }

  /** Gives heaps back; segments with a block in use stay until that is released and memory is short. */
  removeHeaps(heaps: Heaps): void {
    heaps.dispose();
    if (heaps.reserved === 0) this.#others.delete(heaps);
  }

  /** Takes all blocks from some heaps while `body` runs; returns the most bytes it had in use. */
  from(heaps: Heaps, body: () => void): number {
    const peak = this.#peak, before = this.#current;
    this.#heaps = heaps;
    this.#peak = before;
    try {
      body();
      return this.#peak - before;
    } finally {
      this.#heaps = this.#ordinary;
      this.#peak = Math.max(this.#peak, peak);
    }
  }

  /** The blocks in use that are from some heaps. */
  usedOf(heaps: Heaps): Set<bigint> {
    const blocks = this.#used.values().filter((block) => heaps.has(block));
    return new Set(blocks.map(({ address }) => address));
  }

  /** Gives segments without a block in use back to the card. */
  trim(): void {
    for (const heaps of [this.#ordinary, ...this.#others]) {
      // What is being recorded is kept once it is recorded.
      if (heaps === this.#ordinary || heaps !== this.#heaps) heaps.trim();
    }
  }

  /** Frees all segments; every block is lost. */
  close(): void {
    for (const heaps of [this.#ordinary, ...this.#others]) heaps.close();
    this.#used.clear();
    this.#owners.clear();
    this.#current = 0;
  }
}
