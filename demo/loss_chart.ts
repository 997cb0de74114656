/** The loss over the steps, drawn by uPlot: of weights, of alphas, and of validations. */

import uPlot from "uplot";

/** The curves: name, and the variable of style.css with its colour. */
const CURVES = [
  ["weights", "--weights"],
  ["alphas", "--alphas"],
  ["validation", "--validation"],
] as const;
/** Losses by the curves' names. */
export type Losses = { readonly [Name in typeof CURVES[number][0]]?: number };

const HEIGHT = 260;

/** The chart, which follows the width and the colours of the page. */
export class LossChart {
  readonly #place: HTMLElement;
  readonly #chart: uPlot;
  /** Steps, then a column for each curve. */
  readonly #columns: [number[], ...(number | null)[][]] = [[], [], [], []];
  /** Steps after which stages began. */
  #stages: number[] = [];

  constructor(place: HTMLElement) {
    this.#place = place;
    this.#chart = new uPlot(this.#options(), this.#columns, place);
    new ResizeObserver(() => this.#chart.setSize({ width: place.clientWidth, height: HEIGHT }))
      .observe(place);
    matchMedia("(prefers-color-scheme: dark)")
      .addEventListener("change", () => this.#chart.redraw(false, true));
  }

  /** Adds the losses at a step that is not before the last one. */
  add(step: number, losses: Losses): void {
    const [steps, ...curves] = this.#columns;
    if (steps.at(-1) !== step) { for (const column of this.#columns) column.push(null as never); }
    steps[steps.length - 1] = step;
    CURVES.forEach(([name], index) => {
      if (losses[name] !== undefined) curves[index][steps.length - 1] = losses[name];
    });
    this.#chart.setData(this.#columns);
  }

  /** Marks the beginning of a stage. */
  beginStage(): void {
    this.#stages.push(this.#columns[0].at(-1) ?? 0);
  }

  /** Empties it. */
  clear(): void {
    for (const column of this.#columns) column.length = 0;
    this.#stages = [];
    this.#chart.setData(this.#columns);
  }

  #options(): uPlot.Options {
    const axis = {
      stroke: () => this.#colour("--faint"),
      grid: { stroke: () => this.#colour("--line") },
    };
    return {
      width: this.#place.clientWidth,
      height: HEIGHT,
      scales: { x: { time: false } },
      axes: [{ ...axis, label: "step" }, { ...axis, label: "loss" }],
      series: [
        { label: "step" },
        ...CURVES.map(([label, variable]) => ({
          label,
          stroke: () => this.#colour(variable),
          width: 2,
          spanGaps: true,
          points: { show: label === "validation", size: 7 },
        })),
      ],
      legend: { live: false },
      hooks: { draw: [() => this.#drawStages()] },
    };
  }

  #colour(variable: string): string {
    const probe = this.#place.style.color;
    this.#place.style.color = `var(${variable})`;
    const colour = getComputedStyle(this.#place).color;
    this.#place.style.color = probe;
    return colour;
  }

  /** A line where each stage but the first begins. */
  #drawStages(): void {
    const { ctx, bbox } = this.#chart;
    ctx.save();
    ctx.strokeStyle = this.#colour("--faint");
    ctx.setLineDash([6, 6]);
    for (const stage of this.#stages.slice(1)) {
      const x = this.#chart.valToPos(stage, "x", true);
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
    }
    ctx.restore();
  }
}
