/**
 * The assertions of the tests, typed: deno-std on npm comes as JavaScript without declarations.
 *
 * Only what the tests use is named here; the implementations are deno-std's.
 */

import * as std from "deno-std/assert/mod.js";

// deno-lint-ignore no-explicit-any
type ErrorClass = new (...args: any[]) => Error;

/** Fails unless the two values are equal, deeply. */
export const assertEquals: <T>(actual: T, expected: T, message?: string) => void = std.assertEquals;
/** Fails if the two values are equal, deeply. */
export const assertNotEquals: <T>(actual: T, expected: T, message?: string) => void =
  std.assertNotEquals;
/** Fails unless the two values are the same by `Object.is`. */
export const assertStrictEquals: <T>(actual: T, expected: T, message?: string) => void =
  std.assertStrictEquals;
/** Fails unless the value is truthy. */
export const assert: (value: unknown, message?: string) => asserts value = std.assert;
/** Fails unless the numbers are within the tolerance (default 1e-7). */
export const assertAlmostEquals: (
  actual: number,
  expected: number,
  tolerance?: number,
  message?: string,
) => void = std.assertAlmostEquals;
/** Fails unless `actual` contains `expected`. */
export const assertStringIncludes: (actual: string, expected: string, message?: string) => void =
  std.assertStringIncludes;
/** Fails unless the text matches. */
export const assertMatch: (actual: string, expected: RegExp, message?: string) => void =
  std.assertMatch;
/** Fails unless the function throws such an error whose message includes the text. */
export const assertThrows: (
  body: () => unknown,
  errorClass?: ErrorClass,
  messageIncludes?: string,
) => Error = std.assertThrows;
/** Fails unless the promise rejects with such an error whose message includes the text. */
export const assertRejects: (
  body: () => PromiseLike<unknown>,
  errorClass?: ErrorClass,
  messageIncludes?: string,
) => Promise<Error> = std.assertRejects;
