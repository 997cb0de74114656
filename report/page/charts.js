/**
 * Draws the charts of a page with uPlot, which stands before this script in it.
 *
 * A chart fits the width of its element, takes its colours from the page's style, and shows the values
 * under the pointer, or under the place that the arrow keys move, in a line below it.
 */

/* global uPlot */

/** The charts that are drawn, by the id of their element. */
const drawn = new Map();

/** A value for people: percent, or three digits that count. */
function valueText(value, format) {
  if (value === null || value === undefined) return "none";
  if (format === "percent") return `${(100 * value).toFixed(2)} %`;
  return Math.abs(value) >= 1000 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}

/** The colours of the page as it is shown now: text first, then the palette. */
function palette() {
  const style = getComputedStyle(document.documentElement);
  const names = ["--text", ...Array.from({ length: 8 }, (_, index) => `--c${index + 1}`), "--grid"];
  return names.map((name) => style.getPropertyValue(name).trim());
}

/** Which columns are told of: rims of bands are not. */
function told(chart) {
  return chart.series.flatMap(({ style }, index) => style === "edge" ? [] : [index + 1]);
}

/** The values of a chart at a place of its axis, in one line. */
function readout(chart, index) {
  const values = told(chart).filter((column) => chart.columns[column][index] !== null)
    .map((column) =>
      `${chart.series[column - 1].label} ${valueText(chart.columns[column][index], chart.format)}`
    );
  return `${chart.x} ${valueText(chart.columns[0][index], "number")}: ${values.join(", ")}`;
}

/** What a chart is called by a screen reader: its title, and the last value of each curve. */
function chartName(chart) {
  const values = told(chart).flatMap((column) => {
    const last = chart.columns[column].findLast((value) => value !== null);
    if (last === undefined) return [];
    return [`${chart.series[column - 1].label} ends at ${valueText(last, chart.format)}`];
  });
  return `${chart.title} over ${chart.x}: ${values.join(", ")}`;
}

function seriesOptions(chart, { colours, columns }) {
  return chart.series.map(({ label, colour, style }, index) => ({
    label,
    stroke: colours[colour],
    width: { faint: 0.5, bold: 2.5, edge: 0 }[style] ?? 1.5,
    alpha: style === "faint" ? 0.6 : 1,
    dash: style === "dashed" ? [5, 4] : undefined,
    points: { show: style !== "edge", size: 4, filter: () => lonePlaces(columns[index + 1]) },
  }));
}

/** Lines where stages end, and at an equal share where charts share a scale. */
function drawMarks(chart, { colours }) {
  return ({ ctx, bbox, valToPos }) => {
    const { left, top, width, height } = bbox;
    ctx.save();
    ctx.strokeStyle = colours.at(-1);
    ctx.lineWidth = devicePixelRatio;
    ctx.beginPath();
    for (const mark of chart.marks) {
      const x = Math.round(valToPos(mark, "x", true));
      ctx.moveTo(x, top);
      ctx.lineTo(x, top + height);
    }
    if (chart.range) {
      const y = Math.round(valToPos(1, "y", true));
      ctx.moveTo(left, y);
      ctx.lineTo(left + width, y);
    }
    ctx.stroke();
    ctx.restore();
  };
}

function axes(chart, { colours }) {
  const look = {
    stroke: colours[0],
    grid: { stroke: colours.at(-1), width: 1 },
    ticks: { show: false },
  };
  if (chart.small) return [{ show: false }, { show: false }];
  const values = (_, ticks) => ticks.map((tick) => valueText(tick, chart.format));
  return [{ ...look, label: chart.x, labelSize: 20, size: 34 }, { ...look, size: 62, values }];
}

function chartOptions(chart, { element, output, colours, columns }) {
  const lowest = Math.min(...chart.columns[0]), highest = Math.max(...chart.columns[0]);
  const alone = lowest === highest ? 1 : 0;
  return {
    width: Math.max(60, element.clientWidth),
    height: chart.small ? 64 : 240,
    padding: chart.small ? [2, 2, 2, 2] : undefined,
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, points: { show: !chart.small }, y: false },
    scales: {
      x: { time: false, range: [lowest - alone, highest + alone] },
      y: chart.range ? { range: widened(chart.range) } : {},
    },
    series: [{}, ...seriesOptions(chart, { colours, columns })],
    bands: chart.bands.map((series) => ({ series, fill: `${colours[0]}22` })),
    axes: axes(chart, { colours }),
    hooks: {
      drawAxes: [drawMarks(chart, { colours })],
      setCursor: [({ cursor }) => {
        output.textContent = cursor.idx === null || cursor.idx === undefined || cursor.left < 0
          ? ""
          : readout(chart, cursor.idx);
      }],
    },
  };
}

/** A scale with some room at both ends. */
function widened([low, high]) {
  const room = 0.05 * (high - low) || 0.05;
  return [low - room, high + room];
}

/** The places of an axis at which all curves break. */
function breaksOf({ columns: [axis], marks }) {
  return new Set(
    axis.flatMap((x, index) => marks.some((mark) => x > mark && x - mark < 0.01) ? [index] : []),
  );
}

/**
 * Columns as uPlot takes them: a line goes on over what is undefined and breaks at null, so places without a
 * value are null from the last one before a break to the first one behind it.
 */
function columnsOf(chart) {
  const [axis, ...values] = chart.columns, breaks = breaksOf(chart);
  return [
    axis,
    ...values.map((column) => {
      const result = column.map((value) => value ?? undefined);
      for (const place of breaks) {
        for (let i = place; i >= 0 && column[i] === null; i--) result[i] = null;
        for (let i = place; i < column.length && column[i] === null; i++) result[i] = null;
      }
      return result;
    }),
  ];
}

/** The places of values that no line reaches: those alone between breaks. */
function lonePlaces(column) {
  const places = [];
  let run = [];
  for (const [index, value] of [...column, null].entries()) {
    if (typeof value === "number") run.push(index);
    else if (value === null) {
      if (run.length === 1) places.push(run[0]);
      run = [];
    }
  }
  return places;
}

function moveByKeys(event, { plot, chart }) {
  const steps = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };
  if (!(event.key in steps)) return;
  event.preventDefault();
  const last = chart.columns[0].length - 1, from = plot.cursor.idx ?? last;
  const at = (index) => Math.min(last, Math.max(0, index));
  const next = at(from + steps[event.key]);
  const empty = told(chart).every((column) => chart.columns[column][next] === null);
  const index = empty ? at(next + Math.sign(steps[event.key])) : next;
  plot.setCursor({ left: plot.valToPos(chart.columns[0][index], "x"), top: 1 });
}

/** The curves' names and colours below a chart. */
function legendOf(chart) {
  const list = document.createElement("ul");
  list.className = "legend";
  for (const column of told(chart)) {
    const { label, colour, style } = chart.series[column - 1];
    const item = document.createElement("li"), swatch = document.createElement("span");
    swatch.className = `swatch c${colour} ${style ?? ""}`;
    item.append(swatch, label);
    list.append(item);
  }
  return list;
}

/** Draws a chart into its element, which it first empties. */
function drawChart(chart) {
  const element = document.getElementById(chart.id);
  if (!element) return;
  element.replaceChildren();
  element.parentElement.querySelectorAll("output, .legend").forEach((part) => part.remove());
  element.setAttribute("aria-label", chartName(chart));
  const output = document.createElement("output");
  element.after(...(chart.small ? [] : [legendOf(chart)]), output);
  const colours = palette(), columns = columnsOf(chart);
  const plot = new uPlot(
    chartOptions(chart, { element, output, colours, columns }),
    columns,
    element,
  );
  element.onkeydown = (event) => moveByKeys(event, { plot, chart });
  drawn.set(chart.id, { plot, element, width: element.clientWidth });
}

/** The charts of the page, by id. */
let charts = new Map();

/** Draws all charts that a page's data holds, in place of those before. */
function drawCharts() {
  for (const { plot } of drawn.values()) plot.destroy();
  drawn.clear();
  const data = JSON.parse(document.getElementById("charts").textContent);
  charts = new Map(data.map((chart) => [chart.id, chart]));
  for (const chart of charts.values()) drawChart(chart);
}

/** Fits the charts to the page's width. */
function fitCharts() {
  for (const { plot, element } of drawn.values()) {
    const width = Math.max(60, element.clientWidth);
    if (width !== plot.width) plot.setSize({ width, height: plot.height });
  }
}

addEventListener("resize", fitCharts);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawCharts);
