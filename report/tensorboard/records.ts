/**
 * TFRecord: the frames of an event file. Each is the length of its data as uint64, little endian, the masked
 * CRC32C of these eight bytes, the data, and the masked CRC32C of the data.
 *
 * Source: https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details
 */

import crc32c from "crc-32/crc32c.js";

/** Bytes of a frame besides its data: 8 of the length, and 4 of each sum. */
const FRAME_BYTES = 16;

/** The checksum of TFRecord: CRC32C, rotated right by 15 bits, plus a constant; an unsigned 32-bit number. */
export function maskedCrc(bytes: Uint8Array): number {
  const crc = crc32c.buf(bytes, 0) >>> 0;
  return ((crc >>> 15 | crc << 17) + 0xa282ead8) >>> 0;
}

/** Data as a frame. */
export function tfRecord(data: Uint8Array): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(FRAME_BYTES + data.length);
  const view = new DataView(frame.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc(frame.subarray(0, 8)), true);
  frame.set(data, 12);
  view.setUint32(12 + data.length, maskedCrc(data), true);
  return frame;
}
