/**
 * An order of a split's images in which every run of them has all classes in their shares.
 *
 * Image folders are listed class by class; what takes a part of a split, such as the halves of a search,
 * takes it in this order.
 */

import type { CounterRandom } from "../backends/random.ts";

/**
 * The order: the images of a class are drawn, and the one drawn as number k of n stands at (k + 1/2) / n.
 *
 * @param labels `[count]`, class indices.
 * @returns `[count]` indices.
 */
export function balancedOrder(labels: Int32Array, random: CounterRandom): Uint32Array {
  const members = new Map<number, number[]>();
  labels.forEach((label, index) => {
    const images = members.get(label);
    if (images) images.push(index);
    else members.set(label, [index]);
  });
  const places = new Float64Array(labels.length);
  for (const [label, images] of members) {
    const drawn = random.fork(label).permutation(images.length);
    drawn.forEach((image, place) => places[images[image]] = (place + 0.5) / images.length);
  }
  return Uint32Array.from(labels.keys()).sort((a, b) => places[a] - places[b] || a - b);
}
