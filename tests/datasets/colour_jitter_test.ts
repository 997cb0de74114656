/** Tests of the jitter's random choices, and of colours against float64; PIL's bits are in `image_transforms_test.ts`. */

import { CounterRandom } from "../../backends/random.ts";
import {
  drawJitter,
  jitterColours,
  type JitterStep,
  type JitterStrength,
} from "../../datasets/colour_jitter.ts";
import { assert, assertEquals } from "../assert.ts";

const strength: JitterStrength = { brightness: 0.4, contrast: 1.5, saturation: 0.2, hue: 0.1 };

function changed(pixels: readonly number[], ...steps: JitterStep[]): number[] {
  const result = Uint8Array.from(pixels);
  jitterColours(result, steps);
  return [...result];
}

Deno.test("drawJitter() draws every order and factors in their ranges", () => {
  const orders = new Set<string>();
  for (let i = 0; i < 500; i++) {
    const steps = drawJitter(new CounterRandom(1).fork(i), strength);
    orders.add(steps.map(({ kind }) => kind).join());
    for (const { kind, factor } of steps) {
      const least = kind === "hue" ? -0.1 : Math.max(0, 1 - strength[kind]);
      assert(factor >= least && factor <= (kind === "hue" ? 0.1 : 1 + strength[kind]), kind);
    }
  }
  assertEquals(orders.size, 24);
});

Deno.test("drawJitter() leaves out what has no strength, and draws the rest alike", () => {
  const random = new CounterRandom(1).fork(3), again = new CounterRandom(1).fork(3);
  const all = drawJitter(random, strength);
  const rest = drawJitter(again, { ...strength, contrast: 0, hue: 0 });
  assertEquals(rest, all.filter(({ kind }) => kind === "brightness" || kind === "saturation"));
});

Deno.test("jitterColours() blends with black, the mean grey and the grey version", () => {
  assertEquals(changed([10, 100, 250], { kind: "brightness", factor: 1.5 }), [15, 150, 255]);
  assertEquals(changed([0, 0, 0, 200, 200, 200], { kind: "contrast", factor: 0.5 }), [
    ...[50, 50, 50],
    ...[150, 150, 150],
  ]);
  assertEquals(changed([255, 0, 0], { kind: "saturation", factor: 0 }), [76, 76, 76]);
});

Deno.test("jitterColours() turns pure colours by thirds and leaves grey", () => {
  const third: JitterStep = { kind: "hue", factor: 1 / 3 };
  const turned = changed([255, 0, 0, 0, 255, 0, 0, 0, 255, 90, 90, 90], third);
  assertEquals(turned, [0, 255, 0, 0, 0, 255, 255, 0, 0, 90, 90, 90]);
});

Deno.test("jitterColours() takes steps in their order", () => {
  const brighter: JitterStep = { kind: "brightness", factor: 2 };
  const greyer: JitterStep = { kind: "saturation", factor: 0 };
  assertEquals(changed([255, 0, 0], brighter, greyer), [76, 76, 76]);
  assertEquals(changed([255, 0, 0], greyer, brighter), [152, 152, 152]);
});
