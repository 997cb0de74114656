/** What is wrong with a file of weights; the message does not name the file, which the caller knows. */
export class WeightsError extends Error {
  override readonly name = "WeightsError";
}

/** Throws a {@linkcode WeightsError}. */
export function failWeights(what: string): never {
  throw new WeightsError(what);
}

/** Characters of a reason that are shown: the names in a hostile file may be of any length. */
const REASON_LIMIT = 400;

/** A reason in which names from a file stand, short and without control characters. */
export function printableReason(reason: string): string {
  const text = reason.slice(0, REASON_LIMIT).replaceAll(/\p{Cc}+/gu, " ");
  return reason.length > REASON_LIMIT ? `${text}...` : text;
}
