/**
 * What a running kernel makes, so that one that throws, for lack of memory most likely, leaves nothing
 * behind.
 *
 * Invariant: tensors that existed before a kernel are as they were where it throws; kernels called by a
 * kernel belong to it.
 */

type DataId = object;

export class KernelScope {
  readonly #release: (dataId: DataId) => void;
  /** While a kernel runs: how often it made or shared each tensor and did not dispose of it. */
  #kept: Map<DataId, number> | undefined;

  /** @param release Takes one reference to a tensor's values away. */
  constructor(release: (dataId: DataId) => void) {
    this.#release = release;
  }

  /** Calls a kernel; tensors it made are freed if it throws. */
  attempt<Result>(kernel: () => Result): Result {
    if (this.#kept) return kernel();
    const kept = this.#kept = new Map<DataId, number>();
    try {
      return kernel();
    } catch (error) {
      for (const [dataId, count] of kept) {
        for (let time = 0; time < count; time++) this.#release(dataId);
      }
      throw error;
    } finally {
      this.#kept = undefined;
    }
  }

  /** Notes that a tensor was made or shared (1), or disposed of (-1). */
  count(dataId: DataId, change: 1 | -1): void {
    this.#kept?.set(dataId, (this.#kept.get(dataId) ?? 0) + change);
  }
}
