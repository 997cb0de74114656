import { curvesOf, reportCurve } from "../../report/curves.ts";
import type { Line, RunRecord } from "../../report/read_run.ts";
import { assertEquals } from "../assert.ts";

function search(log: readonly Line[], timing: readonly Line[] = []): RunRecord {
  const kind = "search", texts = { path: "", name: "", started: "", backend: "" };
  const rest = { config: {}, options: {}, alphas: [], variants: [], summary: {}, unreadable: 0 };
  return { ...texts, ...rest, kind, epochs: 10, state: { name: "died" }, log, timing };
}

Deno.test("curvesOf() counts epochs through the stages, and leaves gaps out", () => {
  const epoch = (stage: number, epoch: number, loss: unknown) => ({
    type: "epoch",
    stage,
    epoch,
    weights: { loss },
  });
  const run = search([epoch(1, 1, 2.3), epoch(1, 2, null), epoch(2, 3, 1.9), { type: "epoch" }]);
  assertEquals(curvesOf(run, "loss"), [{ name: "weights", points: [[1, 2.3], [13, 1.9]] }]);
  assertEquals(curvesOf(run, "top1"), []);
});

Deno.test("curvesOf() has images a second over minutes", () => {
  const run = search([], [{ seconds: 60, imagesPerSecond: 5 }, { seconds: 90 }]);
  assertEquals(curvesOf(run, "imagesPerSecond"), [{ name: "images/s", points: [[1, 5]] }]);
});

Deno.test("reportCurve() places reports within their epoch by the steps of the stage", () => {
  const report = (epoch: number, step: number) => ({
    type: "report",
    stage: 1,
    epoch,
    step,
    weights: { loss: step },
  });
  const validation = { type: "report", stage: 1, epoch: 2, step: 99, evaluation: { loss: 1 } };
  const { points } = reportCurve(
    search([report(1, 5), report(1, 8), report(2, 4), validation]),
    "loss",
  );
  assertEquals(points, [[0.625, 5], [1, 8], [1.5, 4]]);
});
