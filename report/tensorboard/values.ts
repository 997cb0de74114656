/**
 * What TensorBoard shows of a run: its curves as scalars over epochs, the weights of all edges of a kind of
 * cell as histograms, and the cells of each stage as images.
 *
 * Speed is over seconds of work, and what reports tell within epochs over their number, as the others' steps
 * are whole.
 */

import { cellSvg, svgToPng } from "../../nn/draw.ts";
import { cellOf } from "../../nn/genotypes.ts";
import { CELL_KINDS, genotypeIn, stageGenotypes, weightsOf } from "../architecture.ts";
import { curvesOf, epochOf, type Quantity, reportCurve } from "../curves.ts";
import { number, type RunRecord, text } from "../read_run.ts";
import { histogramOf, type Image, type TaggedValue } from "./messages.ts";

/** A value whose image is only drawn where it is needed. */
export type PendingValue = Omit<TaggedValue, "value"> & {
  readonly value: TaggedValue["value"] | (() => Promise<TaggedValue["value"]>);
};

const QUANTITIES: readonly Quantity[] = ["loss", "top1", "learningRate"];

/** All values of a run as far as it has come. */
export function valuesOf(run: RunRecord): PendingValue[] {
  return [...scalars(run), ...histograms(run), ...images(run)];
}

function scalars(run: RunRecord): PendingValue[] {
  const times = epochTimes(run), started = startOf(run);
  const ofEpochs = QUANTITIES.flatMap((quantity) =>
    curvesOf(run, quantity).flatMap(({ name, points }) =>
      points.map(([step, simpleValue]) => {
        const tag = `${quantity}/${name.replaceAll(" ", "_")}`;
        return { tag, step, wallTime: times.get(step) ?? started, value: { simpleValue } };
      })
    )
  );
  const ofReports = (["loss", "top1"] as const).flatMap((quantity) =>
    reportCurve(run, quantity).points.map(([x, simpleValue], index) => {
      const wallTime = times.get(Math.ceil(x)) ?? started;
      return { tag: `reports/${quantity}`, step: index + 1, wallTime, value: { simpleValue } };
    })
  );
  const ofSpeed = run.timing.flatMap(({ seconds, imagesPerSecond, time }) => {
    const simpleValue = number(imagesPerSecond);
    if (simpleValue === undefined) return [];
    const step = Math.round(number(seconds)!), wallTime = Date.parse(text(time)) / 1000 || started;
    return [{ tag: "speed/images_per_second", step, wallTime, value: { simpleValue } }];
  });
  return [...ofEpochs, ...ofReports, ...ofSpeed];
}

function histograms(run: RunRecord): PendingValue[] {
  const times = epochTimes(run);
  return weightsOf(run).flatMap((weights) => {
    const step = epochOf(run, weights)!, wallTime = times.get(step) ?? startOf(run);
    return CELL_KINDS.map((kind) => ({
      tag: `alphas/${kind}`,
      step,
      wallTime,
      value: { histo: histogramOf(weights[kind].weights.flat()) },
    }));
  });
}

/** The cells at the end of each stage that has ended; of a training, those that it trains, at step 0. */
function images(run: RunRecord): PendingValue[] {
  const times = epochTimes(run);
  const ended = run.log.filter(({ type }) => type === "drop").length;
  const trained = genotypeIn(run.config.genotype);
  const cells = run.kind === "eval"
    ? trained ? [{ step: 0, genotype: trained }] : []
    : stageGenotypes(run, weightsOf(run)).slice(0, ended)
      .map(({ genotype }, stage) => ({ step: (stage + 1) * run.epochs, genotype }));
  return cells.flatMap(({ step, genotype }) =>
    CELL_KINDS.map((kind) => ({
      tag: `cells/${kind}`,
      step,
      wallTime: times.get(step) ?? startOf(run),
      value: async () => ({ image: await imageOf(await cellSvg(cellOf(genotype, kind))) }),
    }))
  );
}

/** A drawing as a PNG; width and height stand in the PNG's header. */
async function imageOf(svg: string): Promise<Image> {
  const png = await svgToPng(svg, { scale: 1 });
  const header = new DataView(png.buffer, png.byteOffset);
  return {
    width: header.getUint32(16),
    height: header.getUint32(20),
    colorspace: 4,
    encodedImageString: png,
  };
}

/** When each epoch's last report was made, in seconds since 1970. */
function epochTimes(run: RunRecord): Map<number, number> {
  return new Map(run.timing.flatMap((line): [number, number][] => {
    const epoch = epochOf(run, line), time = Date.parse(text(line.time));
    return epoch === undefined || Number.isNaN(time) ? [] : [[epoch, time / 1000]];
  }));
}

function startOf({ started }: RunRecord): number {
  return Date.parse(started) / 1000 || 0;
}
