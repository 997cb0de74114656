// Copies between blocks of the pool, all in one launch: their pieces are in a table, a piece a block of
// threads. Reads and writes every value once, the floor.

// As `copyBlocks` of kernels/copy_blocks.ts writes it.
struct Piece {
  const uint4* from;
  uint4* to;
  int quads, unused;
};

extern "C" __global__ void copy_blocks(const Piece* pieces) {
  const Piece piece = pieces[blockIdx.x];
  for (int i = threadIdx.x; i < piece.quads; i += blockDim.x) piece.to[i] = piece.from[i];
}
