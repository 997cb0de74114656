/**
 * What the kernels of a recorded step read of the host: tables of addresses, values of tensors that are
 * there, and numbers that functions give. It is kept on the card in pages, where each has a place for good.
 *
 * Invariant: places that change are on pages of their own, so that a replay uploads those few and no
 * others.
 */

import { type DeviceTensor, hostValues } from "./tensor_data.ts";

/** Bytes of a page, unless one thing is larger. */
const PAGE = 1 << 16;
/** Places begin at multiples of this, as the pool's blocks do. */
const ALIGN = 256;

/** Memory of the card that no tensor holds; the backend. */
export interface PageMemory {
  readonly pool: {
    reserve(bytes: number): bigint;
    unreserve(address: bigint): void;
  };
  upload(values: ArrayBufferView<ArrayBuffer>, address: bigint): void;
}

export class HostTables {
  readonly #fixed: Pages;
  readonly #changing: Pages;
  readonly #tensors = new Map<DeviceTensor, bigint>();

  constructor(memory: PageMemory) {
    this.#fixed = new Pages(memory);
    this.#changing = new Pages(memory);
  }

  /**
   * The address of values on the host.
   *
   * @param refresh Writes `values` again, where they change.
   */
  place(values: ArrayBufferView<ArrayBuffer>, refresh?: () => void): bigint {
    if (!refresh) return this.#fixed.place(values);
    return this.#changing.place(values, refresh);
  }

  /** The address of a tensor's values, which stay on the host too. */
  placeTensor(tensor: DeviceTensor): bigint {
    const address = this.#tensors.get(tensor) ?? this.place(hostValues(tensor));
    this.#tensors.set(tensor, address);
    return address;
  }

  /** Ends the recording: what does not change is uploaded. */
  finish(): void {
    this.#fixed.upload();
    this.#fixed.forget();
    this.#tensors.clear();
  }

  /** Uploads what changes, as it is now. */
  refresh(): void {
    this.#changing.upload();
  }

  /** Frees all pages. */
  dispose(): void {
    for (const pages of [this.#fixed, this.#changing]) pages.dispose();
  }
}

interface Page {
  address: bigint;
  bytes: Uint8Array<ArrayBuffer>;
  used: number;
}

interface Place {
  values: ArrayBufferView<ArrayBuffer>;
  refresh?: () => void;
  /** Its part of a page. */
  bytes: Uint8Array<ArrayBuffer>;
}

class Pages {
  readonly #memory: PageMemory;
  readonly #addresses: bigint[] = [];
  #pages: Page[] = [];
  #places: Place[] = [];

  constructor(memory: PageMemory) {
    this.#memory = memory;
  }

  place(values: ArrayBufferView<ArrayBuffer>, refresh?: () => void): bigint {
    const size = values.byteLength, page = this.#pageWith(size), first = page.used;
    page.used = Math.ceil((first + size) / ALIGN) * ALIGN;
    this.#places.push({ values, refresh, bytes: page.bytes.subarray(first, first + size) });
    return page.address + BigInt(first);
  }

  #pageWith(bytes: number): Page {
    const last = this.#pages.at(-1);
    if (last && last.used + bytes <= last.bytes.length) return last;
    const size = Math.max(PAGE, Math.ceil(bytes / ALIGN) * ALIGN);
    const address = this.#memory.pool.reserve(size);
    this.#addresses.push(address);
    const page = { address, bytes: new Uint8Array(size), used: 0 };
    this.#pages.push(page);
    return page;
  }

  upload(): void {
    for (const { values, refresh, bytes } of this.#places) {
      refresh?.();
      bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    }
    for (const { bytes, used, address } of this.#pages) {
      this.#memory.upload(bytes.subarray(0, used), address);
    }
  }

  /** Drops the host's copies of all pages, which stay on the card. */
  forget(): void {
    this.#pages = [];
    this.#places = [];
  }

  dispose(): void {
    for (const address of this.#addresses) this.#memory.pool.unreserve(address);
    this.#addresses.length = 0;
    this.forget();
  }
}
