/** Copies between blocks of the pool in CUDA, one launch: a copy of its own for each would cost more. */

import type { Copy } from "../../homes.ts";
import type { CudnnBackend } from "../backend.ts";
import source from "../cuda/copy_blocks.cu" with { type: "text" };
import { cudaModule } from "../module.ts";
import { Scratch } from "./scratch.ts";

const COPY = cudaModule("copies", source).kernel("copy_blocks");

/** Bytes of a piece at most: four quads a thread. */
const PIECE = 1 << 14;
const THREADS = 256;
/** Bytes of a `Piece` of copy_blocks.cu. */
const PIECE_BYTES = 24;

/** Launches copies of whole blocks; each `to` is a block's address, and `from` has values as far. */
export function copyBlocks(backend: CudnnBackend, copies: readonly Copy<bigint>[]): void {
  const pieces = copies.flatMap(({ from, to }) => piecesOf(backend.pool.sizeOf(to), { from, to }));
  if (pieces.length === 0) return;
  const table = new DataView(new ArrayBuffer(PIECE_BYTES * pieces.length));
  pieces.forEach(({ from, to, bytes }, row) => {
    const at = row * PIECE_BYTES;
    table.setBigUint64(at, from, true);
    table.setBigUint64(at + 8, to, true);
    table.setInt32(at + 16, bytes / 16, true);
  });
  using scratch = new Scratch(backend);
  backend.launch(COPY, {
    blocks: pieces.length,
    threads: THREADS,
    arguments: { pieces: scratch.upload(table) },
  });
}

function piecesOf(
  size: number,
  { from, to }: Copy<bigint>,
): (Copy<bigint> & { bytes: number })[] {
  return Array.from({ length: Math.ceil(size / PIECE) }, (_, index) => {
    const first = index * PIECE, bytes = Math.min(PIECE, size - first);
    return { from: from + BigInt(first), to: to + BigInt(first), bytes };
  });
}
