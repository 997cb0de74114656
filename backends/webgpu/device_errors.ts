/**
 * What a device reports, in sentences. Its errors come after the calls that they are about, so that the
 * call made last is named.
 */

import { BackendError } from "../contract.ts";
import { hostNumber } from "../host_number.ts";
import type { Dispatch } from "./dispatcher.ts";
import type { Program } from "./program.ts";

export class DeviceErrors {
  /** The first error since the last one thrown, and the call made last. */
  #failure: string | undefined;
  #last: { program: Program; call: Dispatch } | undefined;
  /** Why the device is gone; every later call fails. */
  #lost: string | undefined;
  #closed = false;

  constructor(device: GPUDevice) {
    device.addEventListener("uncapturederror", (event) => {
      event.preventDefault();
      this.#failure ??= this.#sentence((event as GPUUncapturedErrorEvent).error.message);
    });
    device.lost.then(({ reason, message }) => {
      if (this.#closed) return;
      this.#lost = this.#sentence(`the device was lost (${message || reason})`);
    });
  }

  /** Notes a call. */
  called(program: Program, call: Dispatch): void {
    this.#last = { program, call };
  }

  /** Notes a program that does not compile. */
  refused({ name }: Program, reason: string): void {
    this.#failure = `WebGPU program ${name} does not compile: ${oneLine(reason)}`;
  }

  /** A failure, with the call made last. */
  #sentence(reason: string): string {
    const { program, call } = this.#last ?? {};
    const values = Object.entries(call?.uniforms ?? {})
      .map(([name, value]) => `${name} ${hostNumber(value)}`);
    const where = program ? ` at or before ${program.name} (${values.join(", ")})` : "";
    return `WebGPU failed${where}: ${oneLine(reason)}`;
  }

  /** Runs calls of WebGPU, whose errors become sentences. */
  guarded(calls: () => void): void {
    this.throwLost();
    try {
      calls();
    } catch (error) {
      throw this.#worded(error);
    }
  }

  /** Waits for a result of the device, whose errors become sentences. */
  async guardedResult<T>(result: Promise<T>): Promise<T> {
    try {
      const values = await result;
      this.#throwFailure();
      return values;
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
      // What the device has to say, its loss above all, follows the call that fails for it.
      await new Promise((resolve) => setTimeout(resolve));
      this.#throwFailure();
      throw this.#worded(error);
    }
  }

  /** The error of a WebGPU call, in a sentence. */
  #worded(error: unknown): unknown {
    if (!(error instanceof DOMException)) return error;
    const reason = `${error.message}; the device may be lost or out of memory`;
    return new BackendError("webgpu", this.#sentence(reason), { cause: error });
  }

  #throwFailure(): void {
    this.throwLost();
    const failure = this.#failure;
    if (!failure) return;
    this.#failure = undefined;
    throw new BackendError("webgpu", failure);
  }

  /** @throws {BackendError} If the device is gone. */
  throwLost(): void {
    if (this.#lost) throw new BackendError("webgpu", this.#lost);
  }

  /** The device's loss is wanted from here on. */
  close(): void {
    this.#closed = true;
  }
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim();
}
