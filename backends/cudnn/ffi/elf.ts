/** The first bytes of a shared library, by the ELF specification: is it one, and for which machine? */

/** Bytes that {@linkcode isLibraryFor} looks at. */
export const ELF_HEADER_BYTES = 20;

/** `e_machine` by Deno's names of machines. */
const MACHINES: Readonly<Record<string, number>> = { x86_64: 62, aarch64: 183 };
const SHARED_OBJECT = 3;

/** Whether a file that begins so is a 64-bit shared library for a machine, by Deno's name of it. */
export function isLibraryFor(arch: string, start: Uint8Array): boolean {
  if (start.length < ELF_HEADER_BYTES) return false;
  const header = new DataView(start.buffer, start.byteOffset, ELF_HEADER_BYTES);
  const is64BitLittleEndian = header.getUint8(4) === 2 && header.getUint8(5) === 1;
  return header.getUint32(0) === 0x7f454c46 && is64BitLittleEndian &&
    header.getUint16(16, true) === SHARED_OBJECT && header.getUint16(18, true) === MACHINES[arch];
}
