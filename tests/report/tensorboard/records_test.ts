import { maskedCrc, tfRecord } from "../../../report/tensorboard/records.ts";
import { assertEquals } from "../../assert.ts";

Deno.test("maskedCrc() agrees with the published check value of CRC32C", () => {
  const crc = 0xe3069283; // of "123456789", RFC 3720 B.4 has the polynomial
  const masked = (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
  assertEquals(maskedCrc(new TextEncoder().encode("123456789")), masked);
});

Deno.test("tfRecord() frames data by its length and both sums", () => {
  const data = new Uint8Array([7, 8, 9]), frame = tfRecord(data);
  const view = new DataView(frame.buffer);
  assertEquals(view.getBigUint64(0, true), 3n);
  assertEquals(view.getUint32(8, true), maskedCrc(frame.subarray(0, 8)));
  assertEquals(frame.subarray(12, 15), data);
  assertEquals(view.getUint32(15, true), maskedCrc(data));
  assertEquals(frame.length, 19);
});
