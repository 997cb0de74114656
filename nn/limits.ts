/** Limits of the numbers in a config, and the one sentence that refuses a number outside them. */

/** What a number may be: at least `from` or more than `above`, at most `to` or less than `below`. */
export interface Limits {
  /** The smallest. */
  readonly from?: number;
  /** Everything allowed is larger. */
  readonly above?: number;
  /** The largest. */
  readonly to?: number;
  /** Everything allowed is smaller. */
  readonly below?: number;
  /** Integers, or even ones, alone. */
  readonly whole?: "whole" | "even";
}

/** A number of a config by its place there, such as `weights.clip`, and its limits. */
export type LimitCheck = readonly [place: string, value: number, limits: Limits];

/** From 0 to below 1. */
export const RATE: Limits = { from: 0, below: 1 };
/** From 0 to 1. */
export const SHARE: Limits = { from: 0, to: 1 };
/** 1, 2, ... */
export const POSITIVE_INTEGER: Limits = { from: 1, whole: "whole" };
/** 0, 1, ... */
export const NATURAL: Limits = { from: 0, whole: "whole" };
/** From 0. */
export const NOT_NEGATIVE: Limits = { from: 0 };
/** Above 0. */
export const POSITIVE: Limits = { above: 0 };

/**
 * Checks numbers in order.
 *
 * @param task What cannot be done with a wrong one, such as `search`.
 * @throws {RangeError} naming the first that is outside its limits: "Cannot search with epochs 0: want ..."
 */
export function checkLimits(task: string, checks: readonly LimitCheck[]): void {
  for (const [place, value, limits] of checks) {
    if (isWithin(value, limits)) continue;
    throw new RangeError(`Cannot ${task} with ${place} ${value}: want ${limitsText(limits)}`);
  }
}

function isWithin(value: number, limits: Limits): boolean {
  const { from = -Infinity, above = -Infinity, to = Infinity, below = Infinity, whole } = limits;
  return value >= from && value > above && value <= to && value < below &&
    (!whole || Number.isSafeInteger(value)) && (whole !== "even" || value % 2 === 0);
}

function limitsText({ from, above, to = Infinity, below = Infinity, whole }: Limits): string {
  const kind = whole === "even" ? "an even integer" : whole ? "an integer" : "a number";
  const lower = from === undefined ? `above ${above}` : `from ${from}`;
  const upper = below < Infinity ? ` to below ${below}` : to < Infinity ? ` to ${to}` : "";
  return `${kind} ${lower}${upper}`;
}
