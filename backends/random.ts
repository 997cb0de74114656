/**
 * The project's one source of randomness: a counter-based generator (Threefry-2x32 of Salmon et al.,
 * "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
 *
 * Invariants: a number depends on (key, counter) alone, so every backend makes the same numbers from
 * 32-bit adds, rotations and xors, streams never overlap by order of use, and a state is three integers.
 */

const ROTATIONS = [13, 15, 26, 6, 17, 29, 16, 24] as const;
const PARITY = 0x1bd11bda;

/** Rounds of the host generator; {@linkcode MASK_ROUNDS} is the shorter, still Crush-resistant, form. */
const HOST_ROUNDS = 20;

/** Rounds used by the kernels that draw dropout masks. */
export const MASK_ROUNDS = 13;

/** A 64-bit key as two unsigned 32-bit words. */
export type RandomKey = [number, number];

/** All that must be saved to continue a stream. */
export interface RandomState {
  /** Names the stream. */
  key: RandomKey;
  /** 32-bit words drawn so far, below 2^53. */
  counter: number;
}

/**
 * One Threefry-2x32 block: two unsigned 32-bit words from a key and a two-word counter.
 *
 * @param key The two key words.
 * @param counter The two counter words.
 * @param rounds Number of mixing rounds, 1 to 20.
 */
export function threefry2x32(
  key: RandomKey,
  counter: RandomKey,
  rounds: number = HOST_ROUNDS,
): RandomKey {
  const schedule = [key[0] | 0, key[1] | 0, PARITY ^ key[0] ^ key[1]];
  let x = (counter[0] + schedule[0]) | 0, y = (counter[1] + schedule[1]) | 0;
  for (let round = 0; round < rounds; round++) {
    const turn = ROTATIONS[round & 7];
    x = (x + y) | 0;
    y = ((y << turn) | (y >>> (32 - turn))) ^ x;
    if ((round & 3) === 3) {
      const step = (round >> 2) + 1;
      x = (x + schedule[step % 3]) | 0;
      y = (y + schedule[(step + 1) % 3] + step) | 0;
    }
  }
  return [x >>> 0, y >>> 0];
}

/** Two key words from any non-negative safe integer seed. */
function keyOfSeed(seed: number): RandomKey {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new RangeError(
      `Cannot seed the generator: want an integer from 0 to 2^53 - 1, got ${seed}`,
    );
  }
  return [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0];
}

/**
 * A stream of random numbers with a savable state.
 *
 * @example
 * ```ts
 * const random = new CounterRandom(7);
 * const order = random.fork(1, 42).permutation(10); // stream (1, 42), whatever else was drawn
 * ```
 */
export class CounterRandom {
  readonly #key: RandomKey;
  #counter = 0;
  /** The two words of the block that the next word belongs to; undefined before its first use. */
  #block: RandomKey | undefined;

  /**
   * Begins or continues a stream.
   *
   * @param seed A seed, or the state of an earlier stream.
   * @throws {RangeError} If the seed, or the state's counter, is not an integer from 0 to 2^53 - 1.
   */
  constructor(seed: number | RandomState) {
    if (typeof seed === "number") this.#key = keyOfSeed(seed);
    else {
      if (!Number.isSafeInteger(seed.counter) || seed.counter < 0) {
        throw new RangeError(
          `Cannot continue a stream: want a counter from 0 to 2^53 - 1, got ${seed.counter}`,
        );
      }
      this.#key = [seed.key[0] >>> 0, seed.key[1] >>> 0];
      this.#counter = seed.counter;
    }
  }

  /** An independent stream named by integers; does not advance this one. */
  fork(...streamIds: number[]): CounterRandom {
    let key = this.#key;
    for (const id of streamIds) {
      key = threefry2x32(key, [id >>> 0, 0x80000000 | (Math.floor(id / 2 ** 32) & 0x1fffff)]);
    }
    return new CounterRandom({ key, counter: 0 });
  }

  /** The key, for kernels that draw by counter themselves. */
  get key(): RandomKey {
    return [...this.#key];
  }

  /** A uniform unsigned 32-bit integer. */
  uint32(): number {
    const word = this.#counter % 2;
    if (word === 0 || this.#block === undefined) {
      const block = Math.floor(this.#counter / 2);
      this.#block = threefry2x32(this.#key, [block >>> 0, Math.floor(block / 2 ** 32)]);
    }
    this.#counter++;
    return this.#block[word];
  }

  /** A uniform number in [0, 1), a multiple of 2^-32. */
  uniform(): number {
    return this.uint32() / 2 ** 32;
  }

  /**
   * A uniform integer in 0..bound-1, without modulo bias.
   *
   * @throws {RangeError} If the bound is not an integer from 1 to 2^32.
   */
  integer(bound: number): number {
    if (!Number.isInteger(bound) || bound < 1 || bound > 2 ** 32) {
      throw new RangeError(`Cannot draw an integer: want a bound from 1 to 2^32, got ${bound}`);
    }
    const limit = 2 ** 32 - (2 ** 32 % bound);
    for (;;) {
      const word = this.uint32();
      if (word < limit) return word % bound;
    }
  }

  /** A standard normal number (Box-Muller, cosine branch). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** A uniformly random order of 0..n-1 (Fisher-Yates). */
  permutation(n: number): Uint32Array {
    const order = new Uint32Array(n).map((_, index) => index);
    for (let last = n - 1; last > 0; last--) {
      const other = this.integer(last + 1);
      [order[last], order[other]] = [order[other], order[last]];
    }
    return order;
  }

  /** The state to save: a stream made from it draws exactly what this one would draw next. */
  state(): RandomState {
    return { key: [...this.#key], counter: this.#counter };
  }
}

/** What selects a dropout mask: element `e` is dropped where {@linkcode maskWord} is below the rate. */
export interface MaskSource {
  /** Names the stream. */
  key: RandomKey;
  /** Distinguishes masks under one key, such as step and edge; an unsigned 32-bit integer. */
  counter: number;
}

/**
 * The 16-bit word that decides about element `e` of a mask, the definition kernels follow.
 *
 * Elements come in groups of 16 = 4 vectors of 4 lanes: lane `e % 4` of group `e div 16` draws block
 * `4 (e div 16) + e % 4`, whose four half words serve the four vectors in order.
 */
export function maskWord(source: MaskSource, element: number): number {
  const block = 4 * Math.floor(element / 16) + (element & 3);
  const words = threefry2x32(source.key, [block, source.counter], MASK_ROUNDS);
  const vector = (element >> 2) & 3;
  return (vector & 1) ? words[vector >> 1] >>> 16 : words[vector >> 1] & 0xffff;
}

/** The smallest {@linkcode maskWord} that keeps an element, for a dropout rate in [0, 1). */
export function maskThreshold(rate: number): number {
  if (!(rate >= 0 && rate < 1)) {
    throw new RangeError(`Cannot drop out elements: want a rate in [0, 1), got ${rate}`);
  }
  return Math.round(rate * 65536);
}
