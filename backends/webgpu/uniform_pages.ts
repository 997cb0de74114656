/**
 * The uniforms of recorded calls, in buffers of their own: a place is one call's for good.
 *
 * Invariant: places with functions among their numbers are on pages of their own, so that a replay writes
 * those few pages and no others.
 */

import type { Dispatch } from "./dispatcher.ts";
import { UNIFORM_ALIGNMENT } from "./dispatcher.ts";
import { type Program, uniformBytes, writeUniforms } from "./program.ts";

/** Bytes of a page: 64 places or more. */
const PAGE = 1 << 14;

interface Page {
  buffer: GPUBuffer;
  values: ArrayBuffer;
  used: number;
}

interface Place {
  program: Program;
  uniforms: Dispatch["uniforms"];
  view: DataView;
}

export class UniformPages {
  readonly #acquire: (bytes: number) => GPUBuffer;
  #pages: Page[] = [];
  #places: Place[] = [];

  /** @param acquire Makes uniform buffers, which nobody else writes. */
  constructor(acquire: (bytes: number) => GPUBuffer) {
    this.#acquire = acquire;
  }

  /** A place for a call's uniforms, which `write` fills. */
  place(program: Program, uniforms: Dispatch["uniforms"]): GPUBufferBinding {
    const size = uniformBytes(program), page = this.#pageWith(size), offset = page.used;
    page.used = Math.ceil((offset + size) / UNIFORM_ALIGNMENT) * UNIFORM_ALIGNMENT;
    this.#places.push({ program, uniforms, view: new DataView(page.values, offset, size) });
    return { buffer: page.buffer, offset, size };
  }

  #pageWith(bytes: number): Page {
    const last = this.#pages.at(-1);
    if (last && last.used + bytes <= PAGE) return last;
    const page = { buffer: this.#acquire(PAGE), values: new ArrayBuffer(PAGE), used: 0 };
    this.#pages.push(page);
    return page;
  }

  /** Writes the present numbers of all places to the device. */
  write(queue: GPUQueue): void {
    for (const { program, uniforms, view } of this.#places) writeUniforms(program, uniforms, view);
    for (const { buffer, values } of this.#pages) queue.writeBuffer(buffer, 0, values);
  }

  /** Writes all places for the last time. */
  finish(queue: GPUQueue): void {
    this.write(queue);
    this.#pages = [];
    this.#places = [];
  }
}
