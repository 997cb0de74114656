/**
 * Digests of whole files in memory, as lower-case hexadecimal text.
 *
 * MD5 is here because it is the one digest the CIFAR authors publish; what this project stores itself is
 * checked by SHA-256.
 */

import { createHash } from "node:crypto";

/** MD5 of some bytes. */
export function md5Of(bytes: Uint8Array): string {
  return createHash("md5").update(bytes).digest("hex");
}

/** SHA-256 of some bytes. */
export function sha256Of(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
