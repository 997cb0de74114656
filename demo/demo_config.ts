/** The numbers of the demo's search: small enough that three stages end within a minute or two. */

import { type SearchConfig, searchConfig } from "../search/config.ts";

/** What a visitor may change. */
export interface DemoSettings {
  /** Of every random number. */
  readonly seed: number;
  /** Per stage. */
  readonly epochs: number;
  /** For weights, and as many for alphas. */
  readonly images: number;
}

/** What the page begins with. */
export const DEFAULT_SETTINGS: DemoSettings = { seed: 2, epochs: 6, images: 192 };

/**
 * The search's config. On so few images the published rate of the alphas (6e-4) moves none that one could
 * see, so that theirs is raised: the demo shows the method, and finds no good cell.
 *
 * @throws {RangeError} If a setting is out of its range.
 */
export function demoConfig({ seed, epochs, images }: DemoSettings): SearchConfig {
  return searchConfig("quick", {
    seed,
    epochs,
    alphaFromEpoch: Math.min(2, Math.floor(epochs / 2)),
    batch: Math.min(16, images),
    channels: 8,
    trainImages: images,
    layers: [3, 4, 5],
    alphas: { learningRate: 0.02 },
  });
}
