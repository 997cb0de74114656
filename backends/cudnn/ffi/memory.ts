/** Texts and handles as they pass between this process and C. */

/** A text as C reads it: UTF-8 with a zero behind it. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${text}\0`);
}

/** The text in a buffer that C has written, up to its first zero. */
export function cText(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}

/** The text at an address of this process; "" at address 0. */
export function textAt(address: bigint): string {
  const pointer = Deno.UnsafePointer.create(address);
  return pointer === null ? "" : Deno.UnsafePointerView.getCString(pointer);
}

/** The address of a buffer; the caller keeps the buffer while C uses it. */
export function addressOf(buffer: BufferSource): bigint {
  return BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(buffer)));
}

/**
 * What a library has made and must destroy: `using` does, or a call of `Symbol.dispose`; the second of
 * two does nothing.
 */
export class Handle implements Disposable {
  /** Its address, or what the library calls it by; 0 once destroyed. */
  address: bigint;
  readonly #destroy: (address: bigint) => void;

  /** Takes charge of what is at `address`. */
  constructor(address: bigint, destroy: (address: bigint) => void) {
    this.address = address;
    this.#destroy = destroy;
  }

  /** Destroys it. */
  [Symbol.dispose](): void {
    const { address } = this;
    if (address === 0n) return;
    this.address = 0n;
    this.#destroy(address);
  }
}

/**
 * Makes something with a function that writes its handle into a buffer.
 *
 * @param create Calls that function and checks its status.
 * @param destroy Gives back what was made.
 */
export function createHandle(
  create: (out: BigUint64Array<ArrayBuffer>) => void,
  destroy: (address: bigint) => void,
): Handle {
  const out = new BigUint64Array(1);
  create(out);
  return new Handle(out[0], destroy);
}
