/** Tests of the generator: published answers, exact resume, and the shapes of its distributions. */

import { assert, assertEquals, assertNotEquals, assertThrows } from "../assert.ts";
import {
  CounterRandom,
  MASK_ROUNDS,
  maskThreshold,
  maskWord,
  type RandomKey,
  threefry2x32,
} from "../../backends/random.ts";

/** Key, counter and answer of Threefry-2x32 with 20 rounds, from Random123's kat_vectors. */
const KNOWN_ANSWERS: [RandomKey, RandomKey, RandomKey][] = [
  [[0, 0], [0, 0], [0x6b200159, 0x99ba4efe]],
  [[0xffffffff, 0xffffffff], [0xffffffff, 0xffffffff], [0x1cb996fc, 0xbb002be7]],
  [[0x13198a2e, 0x03707344], [0x243f6a88, 0x85a308d3], [0xc4923a9c, 0x483df7a0]],
];

Deno.test("threefry2x32() gives Random123's known answers", () => {
  for (const [key, counter, answer] of KNOWN_ANSWERS) {
    assertEquals(threefry2x32(key, counter), answer);
  }
});

Deno.test("threefry2x32() gives unsigned words, other ones with fewer rounds", () => {
  const all = Array.from({ length: 64 }, (_, block) => threefry2x32([1, 2], [block, 0])).flat();
  assert(all.every((word) => Number.isInteger(word) && word >= 0 && word < 2 ** 32));
  assertEquals(new Set(all).size, all.length);
  assertNotEquals(threefry2x32([1, 2], [0, 0], MASK_ROUNDS), threefry2x32([1, 2], [0, 0]));
});

Deno.test("CounterRandom.uint32() walks the words of the blocks in order", () => {
  const random = new CounterRandom(0);
  const words = [random.uint32(), random.uint32(), random.uint32(), random.uint32()];
  assertEquals(words, [...threefry2x32([0, 0], [0, 0]), ...threefry2x32([0, 0], [1, 0])]);
});

Deno.test("CounterRandom.state() continues exactly, at odd and even words and after normals", () => {
  for (const drawn of [0, 1, 2, 3, 8, 13]) {
    const random = new CounterRandom(2 ** 40 + 5).fork(3);
    for (let count = 0; count < drawn; count++) random.uint32();
    random.normal();
    const saved = JSON.parse(JSON.stringify(random.state()));
    const resumed = new CounterRandom(saved);
    const next = (stream: CounterRandom) =>
      Array.from({ length: 9 }, () => [stream.uint32(), stream.normal(), stream.integer(7)]).flat();
    assertEquals(next(resumed), next(random), `after ${drawn} words`);
    assertEquals(resumed.state(), random.state());
  }
});

Deno.test("CounterRandom continues beyond 2^33 words with a carry into the high counter word", () => {
  const random = new CounterRandom({ key: [5, 6], counter: 2 ** 33 });
  assertEquals(random.uint32(), threefry2x32([5, 6], [0, 1])[0]);
});

Deno.test("CounterRandom.fork() names streams apart from order of use and from each other", () => {
  const random = new CounterRandom(9);
  const before = random.fork(1, 42).uint32();
  random.permutation(5);
  assertEquals(random.fork(1, 42).uint32(), before);
  const ids = [[], [0], [1], [2], [0, 0], [0, 1], [1, 0], [2 ** 32], [2 ** 32 + 1]];
  const first = ids.map((id) => random.fork(...id).key.join());
  assertEquals(new Set(first).size, ids.length);
});

Deno.test("CounterRandom.key is a copy", () => {
  const random = new CounterRandom(4);
  random.key[0] = 99;
  assertEquals(random.key, [4, 0]);
});

Deno.test("CounterRandom.integer() stays below its bound and reaches all of it", () => {
  const random = new CounterRandom(1);
  for (const bound of [1, 2, 3, 7, 10]) {
    const counts = new Array(bound).fill(0);
    for (let draw = 0; draw < 1000 * bound; draw++) counts[random.integer(bound)]++;
    for (const count of counts) assert(Math.abs(count - 1000) < 160, `${bound}: ${counts}`);
    assertEquals(counts.length, bound);
  }
  const large = Array.from({ length: 200 }, () => random.integer(2 ** 32));
  assert(large.some((word) => word > 2 ** 31) && large.some((word) => word < 2 ** 31));
});

Deno.test("CounterRandom.integer() refuses bounds outside 1..2^32", () => {
  const random = new CounterRandom(1);
  for (const bound of [0, -1, 1.5, NaN, 2 ** 32 + 1]) {
    assertThrows(() => random.integer(bound), RangeError, `from 1 to 2^32, got ${bound}`);
  }
});

Deno.test("CounterRandom refuses seeds and states that are no counts", () => {
  for (const seed of [-1, 0.5, NaN, 2 ** 53]) {
    assertThrows(() => new CounterRandom(seed), RangeError, `got ${seed}`);
    assertThrows(
      () => new CounterRandom({ key: [0, 0], counter: seed }),
      RangeError,
      `got ${seed}`,
    );
  }
});

Deno.test("CounterRandom.permutation() holds each index once, every order about as often", () => {
  const random = new CounterRandom(3);
  assertEquals(random.permutation(100).toSorted(), new Uint32Array(100).map((_, at) => at));
  assertEquals(random.permutation(0).length, 0);
  const orders = new Map<string, number>();
  for (let draw = 0; draw < 2400; draw++) {
    const order = random.permutation(4).join();
    orders.set(order, (orders.get(order) ?? 0) + 1);
  }
  assertEquals(orders.size, 24);
  for (const [order, count] of orders) assert(Math.abs(count - 100) < 50, `${order}: ${count}`);
});

Deno.test("CounterRandom.normal() has mean 0, variance 1 and normal tails", () => {
  const random = new CounterRandom(8), count = 20000;
  const draws = Array.from({ length: count }, () => random.normal());
  const mean = draws.reduce((sum, draw) => sum + draw, 0) / count;
  const variance = draws.reduce((sum, draw) => sum + (draw - mean) ** 2, 0) / count;
  const beyond = draws.filter((draw) => Math.abs(draw) > 1.96).length / count;
  assert(Math.abs(mean) < 0.03, `mean ${mean}`);
  assert(Math.abs(variance - 1) < 0.04, `variance ${variance}`);
  assert(Math.abs(beyond - 0.05) < 0.008, `share beyond 1.96: ${beyond}`);
});

Deno.test("CounterRandom.uniform() is below 1 and even", () => {
  const random = new CounterRandom(2), counts = new Array(10).fill(0);
  for (let draw = 0; draw < 10000; draw++) counts[Math.floor(10 * random.uniform())]++;
  for (const count of counts) assert(Math.abs(count - 1000) < 150, `${counts}`);
});

Deno.test("maskWord() deals a block's half words to four vectors of a group", () => {
  const source = { key: [11, 12] as RandomKey, counter: 13 };
  for (const [group, lane] of [[0, 0], [0, 3], [5, 2], [1000, 1]]) {
    const [first, second] = threefry2x32(source.key, [4 * group + lane, 13], MASK_ROUNDS);
    const halves = [first & 0xffff, first >>> 16, second & 0xffff, second >>> 16];
    halves.forEach((half, vector) =>
      assertEquals(maskWord(source, 16 * group + 4 * vector + lane), half)
    );
  }
});

Deno.test("maskWord() drops a share of elements equal to the rate, others under another counter", () => {
  const count = 20000;
  for (const rate of [0, 0.1, 0.4, 0.7, 0.999]) {
    const dropped = (counter: number) =>
      Array.from(
        { length: count },
        (_, element) => maskWord({ key: [1, 2], counter }, element) < maskThreshold(rate),
      );
    const share = dropped(1).filter((drop) => drop).length / count;
    assert(Math.abs(share - rate) < 0.015, `rate ${rate} dropped ${share}`);
    if (rate > 0 && rate < 0.9) assertNotEquals(dropped(1), dropped(2));
  }
});

Deno.test("maskThreshold() refuses rates outside [0, 1)", () => {
  assertEquals([maskThreshold(0), maskThreshold(0.5)], [0, 32768]);
  for (const rate of [-0.1, 1, NaN]) {
    assertThrows(() => maskThreshold(rate), RangeError, `want a rate in [0, 1), got ${rate}`);
  }
});
