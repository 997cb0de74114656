/** Tests of texts and handles between this process and C. */

import {
  addressOf,
  createHandle,
  cString,
  cText,
  textAt,
} from "../../../../backends/cudnn/ffi/memory.ts";
import { assertEquals, assertThrows } from "../../../assert.ts";
import { permitted } from "../../../permitted.ts";

Deno.test("cString() ends with a zero, where cText() stops", () => {
  assertEquals(cString("ä"), Uint8Array.of(0xc3, 0xa4, 0));
  assertEquals(cText(Uint8Array.of(0x61, 0x62, 0, 0x63)), "ab");
  assertEquals(cText(Uint8Array.of(0x61, 0x62)), "ab");
});

Deno.test({
  name: "textAt() reads what is at the address of a buffer, and nothing at 0",
  ignore: !permitted({ ffi: true }),
  fn: () => {
    const buffer = cString("CUDA_SUCCESS");
    assertEquals(textAt(addressOf(buffer)), "CUDA_SUCCESS");
    assertEquals(textAt(0n), "");
  },
});

Deno.test("createHandle() destroys what was made, once, at the end of its block", () => {
  const destroyed: bigint[] = [];
  {
    using handle = createHandle((out) => out[0] = 7n, (address) => destroyed.push(address));
    assertEquals(handle.address, 7n);
    handle[Symbol.dispose]();
    assertEquals(handle.address, 0n);
  }
  assertEquals(destroyed, [7n]);
});

Deno.test("createHandle() destroys nothing when its making fails", () => {
  const destroyed: bigint[] = [];
  const failing = () => {
    throw new RangeError("no room");
  };
  assertThrows(
    () => {
      using _handle = createHandle(failing, (address) => destroyed.push(address));
    },
    RangeError,
    "no room",
  );
  assertEquals(destroyed, []);
});
