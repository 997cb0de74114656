/**
 * Numbers of the host that differ from step to step, such as a learning rate.
 *
 * A step that is recorded and replayed (see `Recorder` in contract.ts) runs its JavaScript once, so that a
 * plain number stays what it was then; a function is asked again at each replay.
 */

/** A number, or a function that gives it whenever the op runs or is replayed. */
export type HostNumber = number | (() => number);

/** The number now. */
export function hostNumber(value: HostNumber): number {
  return typeof value === "number" ? value : value();
}

/** What `make` makes of numbers: fixed where all of them are. */
export function derivedNumber(
  make: (...values: number[]) => number,
  ...from: readonly HostNumber[]
): HostNumber {
  const now = () => make(...from.map(hostNumber));
  return from.every((value) => typeof value === "number") ? now() : now;
}
