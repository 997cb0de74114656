/**
 * Which engine was measured to be the fastest for each convolution, kept in a file for the next process:
 * one file for each card, driver and cuDNN, whose times say nothing about another's.
 *
 * Invariant: the file is an economy. One that is missing, damaged or another card's counts as empty, and
 * one that cannot be written costs a measurement in each process.
 */

import { createHash } from "node:crypto";
import type { CudaDevice } from "./device.ts";

/** Choices by the name of a convolution. */
type Engines = Record<string, string>;

/** The engines that were measured on one device. */
export class EngineChoices {
  readonly #path: string;
  readonly #device: string;
  #engines: Engines;

  /**
   * Reads what was kept.
   *
   * @param folder For the files; made if need be.
   * @param device Card and versions, in words.
   */
  constructor(folder: string, device: string) {
    const digest = createHash("sha256").update(device).digest("hex").slice(0, 16);
    this.#path = `${folder}/engines_${digest}.json`;
    this.#device = device;
    this.#engines = this.#read();
  }

  /** The choice for a convolution; undefined before it was made. */
  get(convolution: string): string | undefined {
    return Object.hasOwn(this.#engines, convolution) ? this.#engines[convolution] : undefined;
  }

  /** Keeps a choice, beside those that other processes have made meanwhile. */
  set(convolution: string, engine: string): void {
    this.#engines = { ...this.#engines, ...this.#read(), [convolution]: engine };
    const draft = `${this.#path}.${crypto.randomUUID()}`;
    const text = JSON.stringify({ device: this.#device, engines: this.#engines }, null, 2);
    try {
      Deno.mkdirSync(this.#path.slice(0, this.#path.lastIndexOf("/")), { recursive: true });
      Deno.writeTextFileSync(draft, `${text}\n`);
      Deno.renameSync(draft, this.#path);
    } catch {
      // The choice holds for this process.
    }
  }

  #read(): Engines {
    try {
      const { device, engines } = JSON.parse(Deno.readTextFileSync(this.#path));
      return device === this.#device && isEngines(engines) ? engines : {};
    } catch {
      return {};
    }
  }
}

function isEngines(value: unknown): value is Engines {
  return typeof value === "object" && value !== null && !Array.isArray(value) &&
    Object.values(value).every((engine) => typeof engine === "string");
}

/** What decides which engine is the fastest, in words. */
export function engineDevice({ name, limits, libraries: { versions } }: CudaDevice): string {
  const capability = limits.computeCapability.join(".");
  return `${name}, compute capability ${capability}, driver for CUDA ${versions.cuda}, ` +
    `cuDNN ${versions.cudnn}`;
}
