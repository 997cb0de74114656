/** Tests of the memory pool on a made-up card. */

import { OutOfMemoryError } from "../../../backends/contract.ts";
import { DevicePool } from "../../../backends/cudnn/memory.ts";
import { assert, assertEquals, assertThrows } from "../../assert.ts";
import { Samples } from "../samples.ts";

const MEGABYTE = 1 << 20;

/** A card that gives out addresses and fails beyond its size. */
class Card {
  readonly total: number;
  /** Bytes of each segment by its address. */
  readonly segments = new Map<bigint, number>();
  #next = 1n << 40n;

  constructor(total: number) {
    this.total = total;
  }

  get used(): number {
    return this.segments.values().reduce((sum, bytes) => sum + bytes, 0);
  }

  allocate(bytes: number): bigint | undefined {
    if (this.used + bytes > this.total) return undefined;
    const address = this.#next;
    this.#next += BigInt(bytes);
    this.segments.set(address, bytes);
    return address;
  }

  free(address: bigint): void {
    assert(this.segments.delete(address), `no segment at ${address}`);
  }
}

Deno.test("DevicePool counts what is in use, the most so far, and what it holds", () => {
  const card = new Card(1024 * MEGABYTE), pool = new DevicePool(card);
  const one = pool.take(1), two = pool.take(3 * MEGABYTE);
  assertEquals(pool.usage, {
    current: 256 + 3 * MEGABYTE,
    peak: 256 + 3 * MEGABYTE,
    reserved: card.used,
  });
  pool.release(two);
  assertEquals(pool.usage.current, 256);
  pool.resetPeak();
  assertEquals(pool.usage.peak, 256);
  pool.release(one);
  assertEquals(pool.usage, { current: 0, peak: 256, reserved: card.used });
});

Deno.test("DevicePool gives a freed block out again, and asks the card for no more", () => {
  const card = new Card(1024 * MEGABYTE), pool = new DevicePool(card);
  for (const bytes of [4, 5000, 3 * MEGABYTE, 200 * MEGABYTE]) {
    const first = pool.take(bytes);
    pool.release(first);
    const held = card.used;
    assertEquals(pool.take(bytes), first, `${bytes} bytes`);
    assertEquals(card.used, held);
  }
});

Deno.test("DevicePool joins freed neighbours, whatever the order", () => {
  for (const order of [[0, 1, 2], [2, 1, 0], [0, 2, 1], [1, 0, 2]]) {
    const card = new Card(1024 * MEGABYTE), pool = new DevicePool(card);
    const blocks = [20, 20, 24].map((size) => pool.take(size * MEGABYTE));
    for (const index of order) pool.release(blocks[index]);
    assertEquals(pool.take(64 * MEGABYTE), blocks[0], `order ${order}`);
    assertEquals(card.segments.size, 1);
  }
});

Deno.test("DevicePool never gives out bytes that are in use, and keeps its account", () => {
  const card = new Card(4096 * MEGABYTE), pool = new DevicePool(card);
  const samples = new Samples("pool"), live = new Map<bigint, number>();
  for (let time = 0; time < 3000; time++) {
    if (live.size > 0 && samples.integer(2) === 0) {
      const address = [...live.keys()][samples.integer(live.size)];
      pool.release(address);
      live.delete(address);
    } else {
      const bytes = 1 + samples.integer(2 ** (3 + samples.integer(20)));
      const address = pool.take(bytes);
      assertEquals(address % 256n, 0n);
      live.set(address, Math.ceil(bytes / 256) * 256);
    }
  }
  const blocks = [...live].sort(([a], [b]) => a < b ? -1 : 1);
  blocks.forEach(([address, bytes], index) => {
    const next = blocks[index + 1]?.[0];
    assert(next === undefined || address + BigInt(bytes) <= next, "blocks overlap");
  });
  assertEquals(pool.usage.current, live.values().reduce((sum, bytes) => sum + bytes, 0));
  for (const address of live.keys()) pool.release(address);
  pool.trim();
  assertEquals([pool.usage.current, pool.usage.reserved, card.used], [0, 0, 0]);
});

Deno.test("DevicePool gives free segments back before it says that there is no memory", () => {
  const card = new Card(256 * MEGABYTE), pool = new DevicePool(card);
  pool.release(pool.take(200 * MEGABYTE));
  const kept = pool.take(210 * MEGABYTE);
  const error = assertThrows(
    () => pool.take(100 * MEGABYTE),
    OutOfMemoryError,
    `Cannot allocate ${100 * MEGABYTE} bytes on cudnn: ${210 * MEGABYTE} of ${card.total} bytes`,
  ) as OutOfMemoryError;
  assertEquals([error.bytesAsked, error.bytesInUse], [100 * MEGABYTE, 210 * MEGABYTE]);
  pool.release(kept);
  pool.take(256 * MEGABYTE);
});

Deno.test("DevicePool takes a segment just large enough where a usual one does not fit", () => {
  const card = new Card(40 * MEGABYTE), pool = new DevicePool(card);
  pool.take(30 * MEGABYTE);
  pool.take(100);
  assertEquals(card.used, 34 * MEGABYTE);
});

Deno.test("DevicePool.from() takes from heaps of their own, which keep what they are told to", () => {
  const card = new Card(1024 * MEGABYTE), pool = new DevicePool(card), heaps = pool.addHeaps();
  pool.release(pool.take(3 * MEGABYTE));
  const ordinary = card.used;
  const most = pool.from(heaps, () => {
    pool.release(pool.take(3 * MEGABYTE));
    pool.release(pool.take(2 * MEGABYTE));
    assertEquals(pool.usedOf(heaps).size, 0);
    const left = pool.take(5);
    assertEquals(pool.usedOf(heaps), new Set([left]));
  });
  assertEquals([most, pool.usage.reserved], [3 * MEGABYTE, card.used]);
  assert(card.used > ordinary);
  heaps.keepSegments();
  const [left] = pool.usedOf(heaps), kept = card.used - ordinary;
  pool.release(left);
  pool.trim();
  assertEquals([pool.usage.current, card.used], [0, kept]);
  pool.removeHeaps(heaps);
  assertEquals([pool.usage.reserved, card.used], [0, 0]);
});

Deno.test("DevicePool keeps the segments that a body takes from while it runs", () => {
  const card = new Card(256 * MEGABYTE), pool = new DevicePool(card), heaps = pool.addHeaps();
  pool.release(pool.take(100 * MEGABYTE));
  pool.from(heaps, () => {
    const first = pool.take(150 * MEGABYTE);
    pool.release(first);
    assertThrows(() => pool.take(200 * MEGABYTE), OutOfMemoryError);
    assertEquals(card.segments.get(first), 150 * MEGABYTE);
  });
});

Deno.test("DevicePool tells a block's owner that it is released, and counts it when told", () => {
  const pool = new DevicePool(new Card(64 * MEGABYTE)),
    address = pool.take(300),
    told: bigint[] = [];
  pool.own(address, { released: (place) => told.push(place) });
  pool.release(address);
  assertEquals([told, pool.usage.current], [[address], 512]);
  pool.countIdle(address, 1);
  assertEquals(pool.usage.current, 0);
  pool.countIdle(address, -1);
  pool.disown(address);
  pool.release(address);
  assertEquals([told.length, pool.usage.current], [1, 0]);
  const reserved = pool.reserve(300);
  assertEquals([pool.sizeOf(reserved), pool.usage.current], [512, 0]);
  pool.unreserve(reserved);
  assertThrows(() => pool.sizeOf(reserved), Error, "is not in use");
});

Deno.test("DevicePool refuses to free what is not in use", () => {
  const pool = new DevicePool(new Card(MEGABYTE << 3)), address = pool.take(1);
  pool.release(address);
  assertThrows(() => pool.release(address), Error, "is not in use");
});

Deno.test("DevicePool.close() gives everything back", () => {
  const card = new Card(256 * MEGABYTE), pool = new DevicePool(card);
  pool.take(5);
  pool.take(5 * MEGABYTE);
  pool.close();
  assertEquals([card.used, pool.usage.current, pool.usage.reserved], [0, 0, 0]);
});
