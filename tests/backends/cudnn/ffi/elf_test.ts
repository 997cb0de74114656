/** Tests of what tells a shared library. */

import { ELF_HEADER_BYTES, isLibraryFor } from "../../../../backends/cudnn/ffi/elf.ts";
import { assertEquals } from "../../../assert.ts";
import { library } from "./made_up_system.ts";

Deno.test("isLibraryFor() accepts 64-bit shared libraries for the machine, and nothing else", () => {
  assertEquals(isLibraryFor("x86_64", library()), true);
  assertEquals(isLibraryFor("aarch64", library()), false);
  assertEquals(isLibraryFor("aarch64", library("", { machine: 183 })), true);
  assertEquals(isLibraryFor("riscv64", library()), false);
  assertEquals(isLibraryFor("x86_64", library().subarray(0, ELF_HEADER_BYTES - 1)), false);
  const others: Record<string, [at: number, value: number]> = {
    "another magic number": [1, 0],
    "32 bits": [4, 1],
    "big-endian": [5, 2],
    "a program": [16, 2],
  };
  for (const [what, [at, value]] of Object.entries(others)) {
    const start = library();
    start[at] = value;
    assertEquals(isLibraryFor("x86_64", start), false, what);
  }
});
