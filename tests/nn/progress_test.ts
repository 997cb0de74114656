/** Tests of the progress line, the time left and durations. */

import { formatDuration, Pace, ProgressLine } from "../../nn/progress.ts";
import { assertAlmostEquals, assertEquals } from "../assert.ts";

function shown(terminal: boolean, columns = 20) {
  const written: string[] = [];
  const write = (text: string) => void written.push(text);
  return { written, line: new ProgressLine({ terminal, columns: () => columns, write }) };
}

Deno.test("ProgressLine redraws one line in a terminal, leaving out what does not fit", () => {
  const { written, line } = shown(true);
  line.update(["stage 1/3", "step 2", "loss 2.3"], { now: 0 });
  line.update(["too soon"], { now: 50 });
  line.print("saved");
  line.clear();
  line.clear();
  assertEquals(written, [
    "\r\x1b[Kstage 1/3  step 2",
    "\r\x1b[Ksaved\nstage 1/3  step 2",
    "\r\x1b[K",
  ]);
});

Deno.test("ProgressLine writes plain whole lines elsewhere", () => {
  const { written, line } = shown(false, 5);
  line.update(["stage 1/3"]);
  line.report(["stage 1/3", "loss 2.3"]);
  line.print("saved");
  line.clear();
  assertEquals(written, ["stage 1/3  loss 2.3\n", "saved\n"]);
});

Deno.test("Pace.rate() follows the latest work", () => {
  const pace = new Pace();
  assertEquals(pace.rate(), undefined);
  for (let step = 0; step < 100; step++) pace.add(4, 1000);
  assertAlmostEquals(pace.rate()!, 0.004, 1e-12);
  for (let step = 0; step < 300; step++) pace.add(4, 2000);
  assertAlmostEquals(pace.rate()!, 0.002, 1e-4);
});

Deno.test("formatDuration() picks two units", () => {
  const cases: [number, string][] = [
    [400, "0 s"],
    [59_600, "1 min 00 s"],
    [200_000, "3 min 20 s"],
    [3_599_000, "59 min 59 s"],
    [7_500_000, "2 h 05 min"],
    [273_600_000, "3 d 04 h"],
  ];
  for (const [milliseconds, text] of cases) assertEquals(formatDuration(milliseconds), text);
});
