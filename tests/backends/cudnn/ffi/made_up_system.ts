/** A machine that is only told about: variables, and files by their paths. */

import { ELF_HEADER_BYTES } from "../../../../backends/cudnn/ffi/elf.ts";
import type { System } from "../../../../backends/cudnn/ffi/system.ts";

/** A file: what is in it, or `-> PATH` for a link. */
export type MadeUpFiles = Record<string, Uint8Array | string>;

/** A library for x86-64, and after its header the text that it holds. */
export function library(text = "", { machine = 62 } = {}): Uint8Array {
  const bytes = new Uint8Array(ELF_HEADER_BYTES + text.length);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1]);
  const header = new DataView(bytes.buffer);
  header.setUint16(16, 3, true);
  header.setUint16(18, machine, true);
  bytes.set(new TextEncoder().encode(text), ELF_HEADER_BYTES);
  return bytes;
}

/** A machine with these files and variables; Linux on x86-64 by default. */
export function madeUpSystem(
  files: MadeUpFiles,
  variables: Record<string, string> = {},
  rest: Partial<System> = {},
): System {
  const realPath = (file: string): string | undefined => {
    const content = files[file];
    if (typeof content !== "string" || !content.startsWith("-> ")) {
      return content === undefined ? undefined : file;
    }
    return realPath(content.slice(3));
  };
  return {
    os: "linux",
    arch: "x86_64",
    limited: false,
    variable: (name) => variables[name],
    list: (folder) => {
      const below = Object.keys(files).filter((path) => path.startsWith(`${folder}/`));
      return [...new Set(below.map((path) => path.slice(folder.length + 1).split("/")[0]))];
    },
    realPath,
    read: (file, bytes) => {
      const path = realPath(file), content = path === undefined ? undefined : files[path];
      const whole = typeof content === "string" ? new TextEncoder().encode(content) : content;
      return whole?.subarray(0, bytes);
    },
    ...rest,
  };
}
