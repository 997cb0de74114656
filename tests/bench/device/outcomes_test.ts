/** Tests of how checks judge what programs print. */

import {
  benchOutcome,
  failureOf,
  sanitizerOutcome,
  searchOutcome,
  testOutcome,
  withoutTimes,
} from "../../../bench/device/outcomes.ts";
import { assertEquals } from "../../assert.ts";

const ENDED = { code: 0, timedOut: false, stdout: "", stderr: "" };

Deno.test("failureOf() names the limit, or the code and the error's line", () => {
  assertEquals(failureOf(ENDED), undefined);
  assertEquals(failureOf({ ...ENDED, code: 124, timedOut: true }), "it took too long");
  const stderr = "Warning: old\nerror: Cannot use cudnn: no card\n    at start\n";
  assertEquals(
    failureOf({ ...ENDED, code: 1, stderr }),
    "it ended with code 1: error: Cannot use cudnn: no card",
  );
});

Deno.test("testOutcome() takes counts and the names of failures from deno test's words", () => {
  const passed =
    "add() adds [cudnn] ... ok (1ms)\n\nok | 30 passed (414 steps) | 0 failed (1m13s)\n";
  assertEquals(testOutcome({ ...ENDED, stdout: passed }), {
    status: "passed",
    passed: 30,
    failed: 0,
  });
  const stdout = [
    " FAILURES ",
    "",
    "add() adds [cudnn] => ./tests/add_test.ts:3:6",
    "add() adds [cudnn] ... [2,3] => ./tests/add_test.ts:9:4",
    "",
    "FAILED | 7 passed | 2 failed | 4 filtered out (2s)",
  ].join("\n");
  assertEquals(testOutcome({ ...ENDED, code: 1, stdout }), {
    status: "failed",
    passed: 7,
    failed: 2,
    failures: ["add() adds [cudnn]", "add() adds [cudnn] ... [2,3]"],
    reason: undefined,
  });
});

Deno.test("testOutcome() fails where no test ran, or the process ended before it told", () => {
  const { status } = testOutcome({ ...ENDED, stdout: "ok | 0 passed | 0 failed | 9 filtered out" });
  assertEquals(status, "failed");
  assertEquals(testOutcome({ ...ENDED, code: 139, stdout: "add() ...", stderr: "" }), {
    status: "failed",
    reason: "it ended with code 139",
  });
});

Deno.test("benchOutcome() takes the last line's JSON unless the program failed", () => {
  assertEquals(benchOutcome({ ...ENDED, stdout: 'a note\n{"steps":2}\n' }), {
    status: "passed",
    result: { steps: 2 },
  });
  assertEquals(benchOutcome({ ...ENDED, code: 137, timedOut: true }).reason, "it took too long");
});

Deno.test("sanitizerOutcome() passes only a summary without errors", () => {
  const clean = "========= ERROR SUMMARY: 0 errors\n";
  assertEquals(sanitizerOutcome({ ...ENDED, stdout: clean }), { status: "passed" });
  const races = "========= RACECHECK SUMMARY: 0 hazards displayed (0 errors, 0 warnings)\n";
  assertEquals(sanitizerOutcome({ ...ENDED, stdout: races }), { status: "passed" });
  const stdout = "========= Invalid __global__ read\n========= ERROR SUMMARY: 3 errors\n";
  assertEquals(sanitizerOutcome({ ...ENDED, code: 99, stdout }), {
    status: "failed",
    reason: "it found 3 errors",
  });
  assertEquals(
    sanitizerOutcome({ ...ENDED, stdout: "========= COMPUTE-SANITIZER\n" }).reason,
    "it told no result",
  );
  assertEquals(sanitizerOutcome({ ...ENDED, code: 1, stdout: clean }).status, "failed");
});

const LOG = '{"step":1,"loss":2.25}\n{"epoch":1,"weights":{"loss":2}}\n';

Deno.test("searchOutcome() compares genotypes, and every loss within 1e-4", () => {
  const expected = { genotypes: "[]", log: LOG };
  assertEquals(searchOutcome(expected, expected).status, "passed");
  const near = { genotypes: "[]", log: LOG.replace("2.25", "2.2501") };
  assertEquals(searchOutcome(near, expected).status, "passed");
  const far = { genotypes: "[]", log: LOG.replace("2.25", "2.26") };
  assertEquals(searchOutcome(far, expected).reason, "a loss is 4.4e-3 off the cpu's");
  const diverged = { genotypes: "[]", log: LOG.replace("2.25", "null") };
  assertEquals(searchOutcome(diverged, expected).status, "failed");
  assertEquals(
    searchOutcome({ ...expected, genotypes: "[0]" }, expected).reason,
    "its genotypes are not the cpu's",
  );
  assertEquals(
    searchOutcome({ ...expected, log: "{}" }, expected).reason,
    "it has 0 losses, the cpu 2",
  );
});

Deno.test("withoutTimes() leaves everything but times, at any depth", () => {
  const measured = {
    peakBytes: 8,
    milliseconds: { weight: 3 },
    ours: [{ firstStepMilliseconds: 1, loss: 2 }],
    torch: null,
  };
  assertEquals(withoutTimes(measured), { peakBytes: 8, ours: [{ loss: 2 }], torch: null });
});
