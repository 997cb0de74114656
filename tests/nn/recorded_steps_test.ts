/** Tests of recorded steps, with a recorder that only counts. */

import type { Recorder } from "../../backends/contract.ts";
import { RecordedSteps } from "../../nn/recorded_steps.ts";
import { assertEquals, assertThrows } from "../assert.ts";

const tensors = () => [];

/** A recorder that notes what is asked of it; its recordings compute nothing. */
function countingRecorder(): { recorder: Recorder; log: string[] } {
  const log: string[] = [];
  const recorder: Recorder = {
    record: (step) => {
      log.push("record");
      step();
      return { replay: () => log.push("replay") };
    },
    dispose: () => log.push("dispose"),
  };
  return { recorder, log };
}

Deno.test("run() computes each time where there is no recorder", () => {
  const steps = new RecordedSteps();
  let computed = 0;
  for (let time = 0; time < 3; time++) steps.run("a", { tensors, compute: () => computed++ });
  assertEquals(computed, 3);
  steps.dispose();
});

Deno.test("run() records a step of each key once, and replays it each time", () => {
  const { recorder, log } = countingRecorder(), steps = new RecordedSteps(recorder);
  let computed = "";
  for (const key of ["a", "b", "a"]) steps.run(key, { tensors, compute: () => computed += key });
  assertEquals(computed, "ab");
  steps.dispose();
  assertEquals(log.join(" "), "record replay record replay replay dispose");
});

Deno.test("run() records again after a step that could not be recorded", () => {
  const { recorder, log } = countingRecorder(), steps = new RecordedSteps(recorder);
  const compute = () => {
    throw new RangeError("too large");
  };
  assertThrows(() => steps.run("a", { tensors, compute }), RangeError, "too large");
  steps.run("a", { tensors, compute: () => {} });
  assertEquals(log.join(" "), "record record replay");
});
