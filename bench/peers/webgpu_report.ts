/** The WebGPU comparison's figures: later steps summed up, first steps beside one another, the table. */

import { type Step, STEPS } from "./ours.ts";
import {
  align,
  byStep,
  gigabytes,
  milliseconds,
  spread,
  summarise,
  type Summary,
} from "./report.ts";

/** One contestant's steps; times in milliseconds. */
export interface StepTimes {
  /** From nothing to a network on the device. */
  start: number;
  /** The first step of each kind, in this order, with the compilation of what it needs. */
  first: Record<Step, number>;
  /** Steps once everything is compiled. */
  later: Record<Step, number[]>;
  /** The loss of each step, first ones included; weight and alpha steps take turns. */
  losses: number[];
  /** Device memory taken for tensors at the end, free buffers included; 0 where not known. */
  reservedBytes: number;
}

/** A peer beside ours. */
export interface PeerComparison {
  /** Milliseconds of later steps, by step. */
  peer: Record<Step, Summary>;
  ours: Record<Step, Summary>;
  /** The peer's median over ours: above 1, ours is faster. */
  speedup: Record<Step, number>;
  /** The same of the two minima, which a busy machine disturbs least. */
  speedupOfMinima: Record<Step, number>;
  /** The same of the first steps, with compilation. */
  speedupOfFirst: Record<Step, number>;
}

/** Sets a peer beside our steps of the same minutes. */
export function comparePeer(peer: StepTimes, ours: StepTimes): PeerComparison {
  const theirs = byStep((step) => summarise(peer.later[step]));
  const own = byStep((step) => summarise(ours.later[step]));
  return {
    peer: theirs,
    ours: own,
    speedup: byStep((step) => theirs[step].median / own[step].median),
    speedupOfMinima: byStep((step) => theirs[step].min / own[step].min),
    speedupOfFirst: byStep((step) => peer.first[step] / ours.first[step]),
  };
}

/**
 * The largest relative difference between two contestants' losses, over the steps that both took.
 *
 * @throws {Error} If it is above the tolerance, or a loss is not finite: then one of them computes
 * something else, and its time means nothing.
 */
export function lossDifference(
  a: readonly number[],
  b: readonly number[],
  { tolerance }: { tolerance: number },
): number {
  const steps = Math.min(a.length, b.length);
  let largest = 0;
  for (let step = 0; step < steps; step++) {
    const difference = Math.abs(a[step] - b[step]) / Math.abs(b[step]);
    if (!(difference <= tolerance)) {
      throw new Error(
        `Cannot compare: the losses of step ${step + 1} are ${a[step]} and ${b[step]}`,
      );
    }
    largest = Math.max(largest, difference);
  }
  return largest;
}

/** A line for each peer and step, ours beside it; then everyone's first steps and memory. */
export function peerTable(
  { ours, peers }: { ours: StepTimes; peers: Readonly<Record<string, StepTimes>> },
): string {
  const rows = [
    [
      "peer",
      "step",
      "n",
      "median ms",
      "min..max",
      "IQR",
      "ours n",
      "ours ms",
      "min..max",
      "IQR",
      "speed-up",
      "of minima",
    ],
    ...Object.entries(peers).flatMap(([name, times]) => {
      const { peer, ours: own, speedup, speedupOfMinima } = comparePeer(times, ours);
      return STEPS.map((step) => [
        name,
        step,
        String(peer[step].n),
        ...spread(peer[step]),
        String(own[step].n),
        ...spread(own[step]),
        speedup[step].toFixed(2) + "x",
        speedupOfMinima[step].toFixed(2) + "x",
      ]);
    }),
  ];
  const firsts = [
    ["with compilation", "start ms", ...STEPS.map((step) => `first ${step} ms`), "reserved GB"],
    ...Object.entries({ ours, ...peers }).map(([name, { start, first, reservedBytes }]) => [
      name,
      milliseconds(start),
      ...STEPS.map((step) => milliseconds(first[step])),
      reservedBytes > 0 ? gigabytes(reservedBytes) : "-",
    ]),
  ];
  return `${align(rows)}\n\n${align(firsts)}`;
}

/** The comparison in one line. */
export function describePeer(name: string, { speedup, speedupOfFirst }: PeerComparison): string {
  const later = STEPS.map((step) => `${step} step ${speedup[step].toFixed(2)}x as fast`);
  return `against ${name}: ${later.join(", ")}; ` +
    `first weight step, with compilation, ${speedupOfFirst.weight.toFixed(2)}x as fast`;
}
