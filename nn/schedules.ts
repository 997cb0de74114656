/** Rates that change from epoch to epoch, each a plain function of the epoch. */

/**
 * Cosine annealing: `minimum + (initial - minimum) (1 + cos(pi epoch / epochs)) / 2`.
 *
 * Source: Loshchilov and Hutter, arXiv 1608.03983, without restarts, as
 * torch.optim.lr_scheduler.CosineAnnealingLR gives it at the start of each epoch.
 *
 * @param epoch From 0, where the rate is `initial`; at `epochs` it is `minimum`.
 */
export function cosineRate(
  epoch: number,
  { initial, minimum = 0, epochs }: { initial: number; minimum?: number; epochs: number },
): number {
  return minimum + (initial - minimum) * (1 + Math.cos(Math.PI * epoch / epochs)) / 2;
}

/**
 * The dropout rate behind skip connections in search: it falls linearly while weights train alone,
 * and starts again at the stage's rate r, falling exponentially, once alphas train.
 *
 *     r (E - e - 1) / E  for e < alphaFromEpoch;  r exp(-decay (e - alphaFromEpoch))  from there on
 *
 * Source: arXiv 1904.12760, section 3.3 ("search space regularization"); the formulas are those of its
 * authors' code.
 *
 * @param epoch e, from 0.
 * @param options.initial The stage's rate r, in [0, 1).
 * @param options.epochs E.
 * @param options.decay The authors' is 0.2.
 */
export function skipDropoutRate(
  epoch: number,
  { initial, epochs, alphaFromEpoch, decay }: {
    initial: number;
    epochs: number;
    alphaFromEpoch: number;
    decay: number;
  },
): number {
  if (epoch < alphaFromEpoch) return initial * (epochs - epoch - 1) / epochs;
  return initial * Math.exp(-decay * (epoch - alphaFromEpoch));
}
