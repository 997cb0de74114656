/**
 * Few cases that cover every pair of values of any two factors: what breaks a kernel is mostly a value,
 * such as stride 2, or a pair, such as stride 2 with odd width, and a full product takes hours.
 */

import { CounterRandom } from "../../backends/random.ts";

/** Values by factor. */
export type Factors<T> = { readonly [K in keyof T]: readonly T[K][] };

/** Candidates tried for one pair; a pair that none of them may hold counts as impossible. */
const TRIES = 120;

/**
 * Chooses cases until each pair of values of two factors is in one of them, as AETG does (Cohen et al.,
 * IEEE TSE 23(7), 1997): fix an open pair, fill the rest at random, keep the fill closing most pairs.
 *
 * Deterministic: the same factors give the same cases.
 *
 * @param factors The values of each factor.
 * @param options.allowed Tells whether a complete case may be chosen (cost, impossible shapes).
 */
export function coveringSet<T extends object>(
  factors: Factors<T>,
  { allowed }: { allowed: (candidate: T) => boolean },
): T[] {
  const random = new CounterRandom(1);
  const names = Object.keys(factors) as (keyof T & string)[];
  const sizes = names.map((name) => factors[name].length);
  const open = allPairs(sizes);
  const chosen: T[] = [];
  const build = (choice: number[]) =>
    Object.fromEntries(names.map((name, at) => [name, factors[name][choice[at]]])) as T;
  for (const [first] of open) {
    if (!open.has(first)) continue;
    const fixed = open.get(first)!;
    let best: number[] | undefined, most = 0;
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const choice = sizes.map((size, at) => fixed.get(at) ?? random.integer(size));
      if (!allowed(build(choice))) continue;
      const gain = pairsOf(choice).reduce((count, pair) => count + (open.has(pair) ? 1 : 0), 0);
      if (gain > most) [best, most] = [choice, gain];
    }
    open.delete(first);
    if (!best) continue;
    for (const pair of pairsOf(best)) open.delete(pair);
    chosen.push(build(best));
  }
  return chosen;
}

/** Every pair of two factors' values by its name, with the values it fixes. */
function allPairs(sizes: number[]): Map<string, Map<number, number>> {
  const pairs = new Map<string, Map<number, number>>();
  sizes.forEach((size, one) => {
    for (let other = one + 1; other < sizes.length; other++) {
      for (let i = 0; i < size; i++) {
        for (let j = 0; j < sizes[other]; j++) {
          pairs.set(pairName([one, i], [other, j]), new Map([[one, i], [other, j]]));
        }
      }
    }
  });
  return pairs;
}

function pairsOf(choice: number[]): string[] {
  return choice.flatMap((i, one) =>
    choice.slice(one + 1).map((j, step) => pairName([one, i], [one + 1 + step, j]))
  );
}

function pairName(one: [number, number], other: [number, number]): string {
  return `${one}:${other}`;
}
