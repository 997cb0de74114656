/** Tests of the allocator against a slow model: blocks, accounts and the limit. */

import { Arena } from "../../../backends/cpu/memory.ts";
import { OutOfMemoryError } from "../../../backends/contract.ts";
import { CounterRandom } from "../../../backends/random.ts";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "../../assert.ts";

const MEGABYTE = 1024 * 1024;
/** Bytes that the blocks of a size may take beyond it: rounding up to a page, and the stagger. */
const ROUNDING = 4096 + 320;

function arenaOf(limit: number): Arena {
  const pages = 65536;
  return new Arena(new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true }), limit);
}

/** The error of an allocation that does not fit. */
function exhausted(arena: Arena, bytes: number): OutOfMemoryError {
  return assertThrows(() => arena.allocate(bytes), OutOfMemoryError) as OutOfMemoryError;
}

/** Blocks in use as the model sees them: a list that is looked through. */
class Model {
  blocks: { address: number; bytes: number; mark: number }[] = [];

  add(address: number, bytes: number, mark: number): void {
    assertEquals(address % 64, 0, "alignment");
    assert(address >= 65536, `${address} lies in the module's constants`);
    for (const other of this.blocks) {
      const apart = address + bytes <= other.address || other.address + other.bytes <= address;
      assert(apart, `[${address}, +${bytes}] overlaps [${other.address}, +${other.bytes}]`);
    }
    this.blocks.push({ address, bytes, mark });
  }

  /** Bytes asked for, not counting what the arena rounds up. */
  get bytes(): number {
    return this.blocks.reduce((sum, block) => sum + block.bytes, 0);
  }
}

/** Sizes of all kinds: small, around the thresholds, large. */
function randomBytes(random: CounterRandom): number {
  const magnitude = random.integer(4);
  if (magnitude === 0) return random.integer(300);
  if (magnitude === 1) return 8192 - 100 + random.integer(200);
  if (magnitude === 2) return 65536 - 2000 + random.integer(4000);
  return random.integer(MEGABYTE / 2);
}

for (const seed of [1, 2, 3]) {
  Deno.test(`Arena agrees with a slow model over random calls, seed ${seed}`, () => {
    const random = new CounterRandom(seed), arena = arenaOf(1024 * MEGABYTE), model = new Model();
    let mark = 0, most = 0;
    for (let call = 0; call < 3000; call++) {
      const fill = call % 1000 < 500 ? 0.7 : 0.3; // grows, then shrinks
      if (random.uniform() < fill) {
        const bytes = randomBytes(random), address = arena.allocate(bytes);
        model.add(address, bytes, ++mark);
        if (bytes >= 4) arena.words(address, 1)[0] = mark;
      } else if (model.blocks.length > 0) {
        const [block] = model.blocks.splice(random.integer(model.blocks.length), 1);
        if (block.bytes >= 4) assertEquals(arena.words(block.address, 1)[0], block.mark);
        arena.free(block.address);
      }
      const { current, peak } = arena.usage;
      assert(current >= model.bytes, "current counts every byte");
      assert(current <= model.bytes + model.blocks.length * ROUNDING, "current counts no more");
      most = Math.max(most, current);
      assertEquals(peak, most);
    }
    for (const { address } of model.blocks.splice(0)) arena.free(address);
    assertEquals(arena.usage.current, 0);
    const { reserved } = arena.usage;
    assert(reserved < 2 * most + 32 * MEGABYTE, `${reserved} bytes reserved for ${most}`);
    // What is free joins again: nearly all of it fits one block, but for chunks of small blocks.
    arena.free(arena.allocate(Math.floor(0.8 * most)));
    assertEquals(arena.usage.reserved, reserved);
  });
}

Deno.test("Arena counts exactly what blocks take, whatever the order of frees", () => {
  const arena = arenaOf(64 * MEGABYTE), sizes = [0, 1, 64, 65, 8191, 8192, 65535, 65536, 70000];
  const taken = sizes.map((bytes) => {
    const before = arena.usage.current, address = arena.allocate(bytes);
    return { address, bytes: arena.usage.current - before };
  });
  assertEquals(
    taken.map(({ bytes }) => bytes),
    [64, 64, 64, 128, 8192, 8192, 65536, 65536 + 320, 73728 + 320],
  );
  for (const at of [4, 0, 8, 2, 6, 1, 7, 3, 5]) {
    const before = arena.usage.current;
    arena.free(taken[at].address);
    assertEquals(before - arena.usage.current, taken[at].bytes);
  }
  assertEquals(arena.usage.current, 0);
});

Deno.test("allocate() reuses freed blocks of every size", () => {
  const arena = arenaOf(64 * MEGABYTE);
  for (const bytes of [1, 100, 8000, 10000, MEGABYTE]) {
    const first = arena.allocate(bytes), behind = arena.allocate(bytes);
    arena.free(first);
    assertEquals(arena.allocate(bytes), first, `${bytes} bytes`);
    arena.free(behind);
    arena.free(first);
  }
});

Deno.test("allocate() takes the smallest free block that is large enough, and splits it", () => {
  const arena = arenaOf(64 * MEGABYTE);
  const [large, , middle, , small] = [3, 1, 2, 1, 1].map((mb) => arena.allocate(mb * MEGABYTE));
  arena.allocate(MEGABYTE); // so that none of them lies at the end
  for (const address of [large, middle, small]) arena.free(address);
  assertEquals(arena.allocate(MEGABYTE * 1.5), middle);
  const rest = arena.allocate(MEGABYTE / 4);
  assert(rest > middle && rest < middle + 2 * MEGABYTE, "the rest of a split block is used");
  assertEquals(arena.allocate(MEGABYTE), small);
});

Deno.test("free() joins a block with free neighbours on both sides", () => {
  const arena = arenaOf(64 * MEGABYTE);
  const [first, second, third] = [1, 1, 1].map((mb) => arena.allocate(mb * MEGABYTE));
  arena.allocate(MEGABYTE);
  for (const address of [first, third, second]) arena.free(address);
  assertEquals(arena.allocate(3 * MEGABYTE), first);
});

Deno.test("small blocks stay within chunks, and large tensors leave their places alone", () => {
  const arena = arenaOf(64 * MEGABYTE), count = 10000, bytes = 100;
  const { reserved } = arena.usage;
  const addresses = Array.from({ length: count }, () => arena.allocate(bytes));
  assertEquals(new Set(addresses).size, count);
  assertEquals(arena.usage.current, count * 128);
  addresses.forEach((address) => arena.free(address));
  arena.free(arena.allocate(2 * MEGABYTE));
  const again = Array.from({ length: count }, () => arena.allocate(bytes));
  assertEquals(again.sort(), addresses.sort());
  assert(arena.usage.reserved - reserved <= 17 * MEGABYTE);
});

Deno.test("resetPeak() makes the bytes in use the peak", () => {
  const arena = arenaOf(64 * MEGABYTE);
  const kept = arena.allocate(8192);
  arena.free(arena.allocate(81920));
  assertEquals(arena.usage.peak, 8192 + 81920 + 320);
  arena.resetPeak();
  assertEquals([arena.usage.current, arena.usage.peak], [8192, 8192]);
  arena.free(kept);
  assertEquals([arena.usage.current, arena.usage.peak], [0, 8192]);
});

Deno.test("allocate() throws OutOfMemoryError with the bytes asked, in use and allowed", () => {
  const limit = 20 * MEGABYTE, arena = arenaOf(limit);
  const kept = arena.allocate(10 * MEGABYTE), { current } = arena.usage;
  const error = exhausted(arena, 11 * MEGABYTE);
  assertEquals([error.bytesAsked, error.bytesInUse], [11 * MEGABYTE + 320, current]);
  assertEquals(
    error.message,
    `Cannot allocate ${11 * MEGABYTE + 320} bytes on cpu: ${current} of ${limit} bytes are in use`,
  );
  assert(arena.usage.reserved <= limit);
  arena.free(kept);
});

Deno.test("an allocation that does not fit leaves the arena as it was", () => {
  const arena = arenaOf(20 * MEGABYTE);
  const first = arena.allocate(8 * MEGABYTE), second = arena.allocate(8 * MEGABYTE);
  arena.free(second); // free at the end, so that it would be extended
  const before = arena.usage;
  exhausted(arena, 12 * MEGABYTE);
  exhausted(arena, 4096 * MEGABYTE);
  assertEquals(arena.usage, before);
  assertEquals(arena.allocate(8 * MEGABYTE), second);
  arena.free(first);
  arena.free(second);
  assertEquals(arena.usage.current, 0);
  arena.free(arena.allocate(17 * MEGABYTE));
});

Deno.test("the limit holds for small blocks, and freed ones can be had again", () => {
  const arena = arenaOf(2 * MEGABYTE), addresses: number[] = [];
  const error = assertThrows(() => {
    for (;;) addresses.push(arena.allocate(64));
  }, OutOfMemoryError) as OutOfMemoryError;
  assertEquals(error.bytesInUse, 64 * addresses.length);
  assert(arena.usage.reserved <= 2 * MEGABYTE);
  assert(addresses.length * 64 > 1.5 * MEGABYTE, "most of the memory was given out");
  const last = addresses.pop()!;
  arena.free(last);
  assertEquals(arena.allocate(64), last);
});

Deno.test("free() refuses an address that is not in use, and changes nothing", () => {
  const arena = arenaOf(64 * MEGABYTE), address = arena.allocate(100000);
  const refuses = (wrong: number) => assertThrows(() => arena.free(wrong), Error, `${wrong}`);
  refuses(address + 64);
  refuses(0);
  arena.free(address);
  refuses(address);
  assertEquals(arena.usage.current, 0);
  assertEquals(arena.allocate(100000), address);
});

Deno.test("views lie on the memory at their address and stay valid when more of it is used", () => {
  const arena = arenaOf(256 * MEGABYTE), address = arena.allocate(64);
  const floats = arena.floats(address, 4), doubles = arena.doubles(address + 16, 2);
  arena.allocate(100 * MEGABYTE);
  floats.set([1, 2, 3, 4]);
  doubles.set([5, 6]);
  assertEquals([...arena.floats(address, 4)], [1, 2, 3, 4]);
  assertEquals([...arena.doubles(address + 16, 2)], [5, 6]);
  assertEquals(arena.words(address, 1)[0], 0x3f800000);
  assertEquals([...arena.bytes(address, 4)], [0, 0, 0x80, 0x3f]);
  arena.ints(address, 1)[0] = -1;
  assertEquals(arena.words(address, 1)[0], 0xffffffff);
  assertStrictEquals(arena.floats(address, 1).buffer, arena.memory.buffer);
});
