/**
 * Ctrl-C, or a scheduler's SIGTERM, noticed between two steps however long a step keeps the main thread busy.
 *
 * A worker listens, since the main thread hears signals only when it is idle. The first signal sets a
 * flag in shared memory and is answered at once in the terminal; the worker then stops listening, so that
 * another, a second later or more, ends the process by the system's own default.
 */

/** A watch for Ctrl-C and SIGTERM; dispose it to end the worker. */
export class Interrupt implements Disposable {
  readonly #flag = new Int32Array(new SharedArrayBuffer(4));
  readonly #worker: Worker;

  private constructor(worker: Worker) {
    this.#worker = worker;
  }

  /** Starts to listen; resolves once signals are heard. */
  static async listen(): Promise<Interrupt> {
    const worker = new Worker(import.meta.resolve("./interrupt_worker.ts"), { type: "module" });
    const interrupt = new Interrupt(worker);
    const ready = Promise.withResolvers<void>();
    worker.onmessage = () => ready.resolve();
    worker.onerror = (event) =>
      ready.reject(new Error(`Cannot listen for Ctrl-C: ${event.message}`));
    worker.postMessage(interrupt.#flag);
    await ready.promise;
    return interrupt;
  }

  /** Whether Ctrl-C was pressed or SIGTERM came. */
  get requested(): boolean {
    return Atomics.load(this.#flag, 0) !== 0;
  }

  /** Whether it was SIGTERM. */
  get terminated(): boolean {
    return Atomics.load(this.#flag, 0) === 2;
  }

  /** Ends the worker. */
  [Symbol.dispose](): void {
    this.#worker.terminate();
  }
}
