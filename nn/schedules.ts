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

/** Epochs at the end of a {@linkcode linearRate} that share the last part of its fall. */
const LINEAR_TAIL = 5;

/**
 * The linear fall of ImageNet's training, with s = initial - minimum:
 *
 *     minimum + s (E - 5 - e) / (E - 5)    for e < E - 5
 *     minimum + s (E - e) / (5 (E - 5))    in the last five epochs
 *     minimum + s (E - e) / E              where there are no more than these five
 *
 * Source: the authors' code of arXiv 1904.12760, whose formula needs more than five epochs.
 *
 * @param epoch e, from 0, where the rate is `initial`.
 * @param options.epochs E.
 */
export function linearRate(
  epoch: number,
  { initial, minimum = 0, epochs }: { initial: number; minimum?: number; epochs: number },
): number {
  const left = epochs - epoch, steep = epochs - LINEAR_TAIL;
  const share = steep <= 0
    ? left / epochs
    : left > LINEAR_TAIL
    ? (left - LINEAR_TAIL) / steep
    : left / (LINEAR_TAIL * steep);
  return minimum + (initial - minimum) * share;
}

/**
 * What a rate is multiplied by while training with large batches begins: `(epoch + 1) / epochs`, then 1.
 *
 * Source: Goyal et al., arXiv 1706.02677, section 2.2; by epochs, as in P-DARTS's authors' code.
 *
 * @param epoch From 0.
 * @param epochs Of the warm-up; 0 for none.
 */
export function warmup(epoch: number, epochs: number): number {
  return epoch < epochs ? (epoch + 1) / epochs : 1;
}

/** How a learning rate falls, the default first. */
export const SCHEDULES = ["cosine", "linear"] as const;
/** One of {@linkcode SCHEDULES}. */
export type Schedule = typeof SCHEDULES[number];

const RATES = { cosine: cosineRate, linear: linearRate } satisfies Record<Schedule, unknown>;

/** The learning rate of an epoch: its schedule's, times that of the warm-up. */
export function learningRate(
  epoch: number,
  { schedule = SCHEDULES[0], warmupEpochs = 0, ...range }: {
    schedule?: Schedule;
    warmupEpochs?: number;
    initial: number;
    minimum?: number;
    epochs: number;
  },
): number {
  return RATES[schedule](epoch, range) * warmup(epoch, warmupEpochs);
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
