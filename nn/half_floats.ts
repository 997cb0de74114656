/** Numbers of 16 bits, as weights are sometimes stored, widened to float32 without loss. */

/** Float32 of IEEE 754 half floats. */
export function fromHalf(buffer: ArrayBuffer): Float32Array<ArrayBuffer> {
  return new Float32Array(new Float16Array(buffer));
}

/** Float32 of bfloat16 numbers, which are the upper halves of float32. */
export function fromBFloat16(buffer: ArrayBuffer): Float32Array<ArrayBuffer> {
  const bits = Uint32Array.from(new Uint16Array(buffer), (half) => half << 16);
  return new Float32Array(bits.buffer);
}
