/** Writing argument records (see wasm/layouts.ts) into the shared memory. */

import type { Arena } from "./memory.ts";
import { type Layout, layoutBytes } from "./wasm/layouts.ts";

/** Values for every field of a layout. */
export type RecordOf<L extends Layout> = { -readonly [Field in keyof L]: number };

const templates = new Map<Layout, { fields: [string, string][]; empty: Record<string, number> }>();

/** The fields of a layout, and a record of zeros, made once. */
function templateOf(layout: Layout): { fields: [string, string][]; empty: Record<string, number> } {
  let template = templates.get(layout);
  if (!template) {
    const fields = Object.entries(layout);
    template = { fields, empty: Object.fromEntries(fields.map(([field]) => [field, 0])) };
    templates.set(layout, template);
  }
  return template;
}

/** A number for every field of a layout, all 0. */
export function emptyRecord<L extends Layout>(layout: L): RecordOf<L> {
  return { ...templateOf(layout).empty } as RecordOf<L>;
}

/** Writes records of one layout one after another from an address. */
export function writeRecords<L extends Layout>(
  arena: Arena,
  address: number,
  { layout, records }: { layout: L; records: RecordOf<L>[] },
): void {
  const { fields } = templateOf(layout), bytes = layoutBytes(layout);
  const words = arena.ints(address, records.length * bytes / 4);
  const floats = arena.floats(address, words.length);
  let at = 0;
  for (const record of records) {
    for (const [field, type] of fields) {
      if (type === "f32") floats[at++] = record[field];
      else words[at++] = record[field] | 0;
    }
  }
}

/**
 * Blocks that live as long as one kernel call; all freed by `using`.
 *
 * @example
 * ```ts ignore
 * using work = new WorkBlocks(arena);
 * const address = work.take(64);
 * ```
 */
export class WorkBlocks implements Disposable {
  readonly #arena: Arena;
  readonly #addresses: number[] = [];

  constructor(arena: Arena) {
    this.#arena = arena;
  }

  take(bytes: number): number {
    const address = this.#arena.allocate(bytes);
    this.#addresses.push(address);
    return address;
  }

  /** A block with the given float32 values, padded by zeros to `length`. */
  floats(values: ArrayLike<number>, length: number = values.length): number {
    const address = this.take(4 * length);
    const view = this.#arena.floats(address, length);
    view.set(values);
    if (length > values.length) view.fill(0, values.length);
    return address;
  }

  [Symbol.dispose](): void {
    for (const address of this.#addresses) this.#arena.free(address);
  }
}
