/** Tests of how threads claim the parts of a job, on one thread that plays all. */

import {
  Control,
  firstClaim,
  LAST_GENERATION,
  MAX_PARTS,
  MAX_THREADS,
  nextGeneration,
  runParts,
} from "../../../backends/cpu/protocol.ts";
import { assert, assertEquals } from "../../assert.ts";

/** Control words of job `generation`, of which `done` parts have been claimed. */
function controlOf(generation: number, { parts, claimed }: { parts: number; claimed: number }) {
  const control = new Int32Array(new SharedArrayBuffer(4 * (Control.scratch + MAX_THREADS)));
  control[Control.args] = 7;
  control[Control.parts] = parts;
  control[Control.claim] = firstClaim(generation) + claimed;
  control[Control.scratch + 2] = 9;
  return control;
}

Deno.test("runParts() runs the parts that are left, with its thread's scratch", () => {
  const control = controlOf(5, { parts: 6, claimed: 2 }), calls: number[][] = [];
  runParts(control, (...call) => void calls.push(call), { generation: 5, thread: 2 });
  assertEquals(calls, [2, 3, 4, 5].map((part) => [7, 9, part]));
  assertEquals([control[Control.done], control[Control.failed]], [4, 0]);
});

Deno.test("runParts() goes on after a part that throws, and says that it did", () => {
  const control = controlOf(1, { parts: 3, claimed: 0 }), parts: number[] = [];
  runParts(control, (_args, _scratch, part) => {
    parts.push(part);
    if (part === 1) throw new Error("trap");
  }, { generation: 1, thread: 0 });
  assertEquals([parts, control[Control.done], control[Control.failed]], [[0, 1, 2], 3, 1]);
});

Deno.test("runParts() takes nothing of a job that is over, being written, or not its own", () => {
  for (const [own, other] of [[4, 5], [5, 4], [LAST_GENERATION, 1], [1, LAST_GENERATION]]) {
    const control = controlOf(other, { parts: MAX_PARTS, claimed: 0 });
    let calls = 0;
    const run = () => runParts(control, () => void calls++, { generation: own, thread: 0 });
    run();
    control[Control.claim] = -1; // a job is being written
    run();
    control[Control.claim] = firstClaim(own) + MAX_PARTS; // all parts are claimed
    run();
    assertEquals([calls, control[Control.done]], [0, 0], `${own} of ${other}`);
  }
});

Deno.test("nextGeneration() counts from 1 and begins again before a claim overflows", () => {
  assertEquals([0, 1, LAST_GENERATION - 1].map(nextGeneration), [1, 2, LAST_GENERATION]);
  assertEquals(nextGeneration(LAST_GENERATION), 1);
  const lastClaim = firstClaim(LAST_GENERATION) + MAX_PARTS;
  assert(0 < lastClaim && lastClaim < 2 ** 31, `${lastClaim}`);
});
