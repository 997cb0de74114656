// Dropout masks: Threefry-2x32 with 13 rounds, as `maskWord` of backends/random.ts. A block of
// random words serves four elements of a group of 16, its lane (e mod 4) in each of the group's four
// quads. Each of four neighbouring threads holds one of the quads and draws one of the blocks; what
// is kept they tell each other by ballot.

__device__ __forceinline__ unsigned int turn(unsigned int value, int bits) {
  return value << bits | value >> (32 - bits);
}

// `keepScale` for the kept elements of a quad, 0 for the dropped ones. All lanes of a warp call it,
// and `quad % 4` is `threadIdx.x % 4` where the result counts.
__device__ __forceinline__ float4 maskFactors(
    const unsigned int (&streamKey)[2], unsigned int counter, unsigned int quad,
    unsigned int threshold, float keepScale) {
  const int rotations[8] = {13, 15, 26, 6, 17, 29, 16, 24};
  const unsigned int parity = 0x1bd11bdau ^ streamKey[0] ^ streamKey[1];
  const unsigned int key[3] = {streamKey[0], streamKey[1], parity};
  unsigned int x = quad + key[0], y = counter + key[1];
  #pragma unroll
  for (int round = 0; round < 13; round++) {
    x += y;
    y = turn(y, rotations[round % 8]) ^ x;
    if (round % 4 < 3) continue;
    const int step = round / 4 + 1;
    x += key[step % 3];
    y += key[(step + 1) % 3] + step;
  }
  const unsigned int all = 0xffffffffu;
  const unsigned int kept0 = __ballot_sync(all, (x & 0xffffu) >= threshold);
  const unsigned int kept1 = __ballot_sync(all, x >> 16 >= threshold);
  const unsigned int kept2 = __ballot_sync(all, (y & 0xffffu) >= threshold);
  const unsigned int kept3 = __ballot_sync(all, y >> 16 >= threshold);
  const unsigned int ofQuad = quad & 2 ? (quad & 1 ? kept3 : kept2) : (quad & 1 ? kept1 : kept0);
  const unsigned int four = ofQuad >> (threadIdx.x & 28);
  return make_float4(
      four & 1 ? keepScale : 0, four & 2 ? keepScale : 0,
      four & 4 ? keepScale : 0, four & 8 ? keepScale : 0);
}
