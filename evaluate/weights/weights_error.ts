/** What is wrong with a file of weights; the message does not name the file, which the caller knows. */
export class WeightsError extends Error {
  override readonly name = "WeightsError";
}

/** Throws a {@linkcode WeightsError}. */
export function failWeights(what: string): never {
  throw new WeightsError(what);
}
