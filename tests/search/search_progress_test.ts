/** Tests of what a running search shows: every part of the line, and the time left. */

import { ProgressLine } from "../../nn/progress.ts";
import { searchConfig } from "../../search/config.ts";
import { SearchProgress } from "../../search/search_progress.ts";
import { beginningOfSearch, type SearchState } from "../../search/search_state.ts";
import { assertEquals } from "../assert.ts";

const config = searchConfig("authors", {
  epochs: 2,
  alphaFromEpoch: 1,
  validationEpochs: 1,
  layers: [5, 8, 10], // with 8, 5 and 3 primitives: 40, 40 and 30
});

const REPORT = { loss: 1.5, top1: 0.25, top5: 0.5, samples: 8 };

function shown(changes: Partial<SearchState>[]): string[] {
  const written: string[] = [];
  const write = (text: string) => void written.push(text);
  const line = new ProgressLine({ terminal: false, columns: () => 80, write });
  const progress = new SearchProgress({ config, batches: { train: 10, validate: 9 }, line });
  for (const change of changes) {
    const state = { ...beginningOfSearch(), ...change };
    progress.step(state, { images: 50, milliseconds: 1000 });
    progress.report(state, REPORT);
  }
  return written;
}

Deno.test("SearchProgress.report() shows stage, epoch, step, loss, top-1, speed and time left", () => {
  // Work of an epoch in steps: 10, then 10 x 2 + 9 / 3 = 23; one step a second.
  assertEquals(shown([{ step: 1 }]), [
    "stage 1/3  epoch 1/2  step 1/10  loss 1.500  top-1 25.0 %  50.0 images/s  " +
    `1 min ${Math.round(9 + 23 + 33 + 33 * 0.75) - 60} s left\n`,
  ]);
});

Deno.test("SearchProgress.report() counts alpha steps twice and validation by a third", () => {
  const last = { stage: 2, epoch: 1 };
  // Two steps' work a second: 14 left of 20, and the validation's 3.
  assertEquals(shown([{ ...last, step: 3 }]), [
    "stage 3/3  epoch 2/2  step 3/10  loss 1.500  top-1 25.0 %  50.0 images/s  9 s left\n",
  ]);
  assertEquals(shown([{ ...last, phase: "validate", step: 4 }]), [
    "stage 3/3  epoch 2/2  validation 4/9  loss 1.500  top-1 25.0 %  50.0 images/s  5 s left\n",
  ]);
});

Deno.test("SearchProgress.compiling() leaves two lines of each stage where lines stay", () => {
  const written: string[] = [];
  const write = (text: string) => void written.push(text);
  const line = new ProgressLine({ terminal: false, columns: () => 80, write });
  const progress = new SearchProgress({ config, batches: { train: 10, validate: 9 }, line });
  for (const done of [2, 3, 4]) progress.compiling(done, 4);
  progress.compiling(1, 1);
  assertEquals(written, [
    "Compiling shaders 2/4\n",
    "Compiling shaders 4/4\n",
    "Compiling shaders 1/1\n",
  ]);
});
