/** How sums over pixels are split into parts, one a block, which a second launch adds in order. */

/** Threads of the blocks of such kernels; as in cuda/values.cuh. */
export const THREADS = 256;

/** Blocks that keep a card busy, and the most parts: adding them up must stay cheap. */
const BLOCKS = 1024, MOST = 512;

/** Parts of `share` items each, the last of fewer, none empty. */
export interface Split {
  parts: number;
  share: number;
}

/**
 * Splits a sum over `length` items. It depends on sizes alone, so that results do not depend on the
 * card.
 *
 * @param blocks Blocks that each part takes.
 * @param least Items that a part should have: each part writes all results once.
 */
export function splitSum(
  length: number,
  { blocks, least }: { blocks: number; least: number },
): Split {
  const wanted = Math.min(MOST, Math.ceil(BLOCKS / blocks), Math.ceil(length / least));
  const share = Math.ceil(length / wanted);
  return { share, parts: Math.ceil(length / share) };
}

/** Neighbouring channels of a block that sums by channel, and how many such blocks cover them all. */
export interface ChannelLanes {
  lanes: number;
  groups: number;
}

/** 32 channels a block, or 16 where fewer threads are then left over. */
export function lanesFor(channels: number): ChannelLanes {
  const halves = Math.ceil(channels / 16);
  return halves % 2 === 1 ? { lanes: 16, groups: halves } : { lanes: 32, groups: halves / 2 };
}
