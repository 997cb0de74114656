/**
 * What a search's files tell of its cells: the weights of every edge over the epochs, and the cells that
 * these weights give at the end of each stage.
 *
 * A stage's primitives are those that the `drop` line of the stage before has kept. Invariant: weights that
 * do not fit the primitives known of their stage are left out.
 */

import {
  allPrimitives,
  checkEdgeWeights,
  type EdgeWeights,
  type KeptPrimitives,
} from "../search/edge_weights.ts";
import { deriveGenotype } from "../search/derive.ts";
import { stateName } from "../nn/draw.ts";
import type { CellKind, Genotype } from "../nn/genotypes.ts";
import { validateGenotype } from "../nn/genotype_json.ts";
import { EDGES, type Primitive, PRIMITIVES } from "../nn/primitives.ts";
import { aligned, type Chart, type Drawn, stageEnds } from "./charts.ts";
import { epochOf, type Point } from "./curves.ts";
import { type Line, number, type RunRecord } from "./read_run.ts";

/** The kinds of cell, in the order of a page. */
export const CELL_KINDS = ["normal", "reduce"] as const satisfies readonly CellKind[];

/** Most places a stage has on the axis of a small chart. */
const MOST_PLACES = 150;

/** Weights after an epoch, of both kinds of cell. */
export interface EpochWeights {
  readonly stage: number;
  readonly epoch: number;
  readonly normal: EdgeWeights;
  readonly reduce: EdgeWeights;
}

/** The weights after every epoch that has readable ones, in the order of the file. */
export function weightsOf({ log, alphas }: Pick<RunRecord, "log" | "alphas">): EpochWeights[] {
  return alphas.flatMap((line): EpochWeights[] => {
    const stage = number(line.stage), epoch = number(line.epoch);
    if (stage === undefined || epoch === undefined) return [];
    const [normal, reduce] = CELL_KINDS.map((kind) =>
      edgeWeights(line[kind], keptIn(log, stage, kind))
    );
    return normal && reduce ? [{ stage, epoch, normal, reduce }] : [];
  });
}

function keptIn(log: readonly Line[], stage: number, kind: CellKind): KeptPrimitives | undefined {
  if (stage === 1) return allPrimitives();
  const drop = log.findLast((line) => line.type === "drop" && line.stage === stage - 1);
  return drop?.[kind] as KeptPrimitives | undefined;
}

function edgeWeights(weights: unknown, kept: KeptPrimitives | undefined): EdgeWeights | undefined {
  const cell = { weights, kept } as EdgeWeights;
  try {
    checkEdgeWeights(cell, "show weights");
    return cell;
  } catch {
    return undefined;
  }
}

/**
 * The small charts of a kind of cell, in the order of `EDGES`. What they show is a weight times the number of
 * primitives that it shares the edge with: 1 is an equal share in every stage.
 */
export function edgeCharts(
  run: RunRecord,
  weights: readonly EpochWeights[],
  { kind, id }: { kind: CellKind; id: string },
): Chart[] {
  const shown = thinned(weights), marks = stageEnds([run]);
  const range = shareRange(weights);
  return EDGES.map(({ node, source }, edge) => {
    const lines = PRIMITIVES.map((primitive, index): Drawn => ({
      label: primitive,
      colour: 1 + index,
      points: shown.flatMap((line): Point[] => {
        const column = line[kind].kept[edge].indexOf(primitive);
        return column < 0 ? [] : [[epochOf(run, line)!, shares(line[kind])[edge][column]]];
      }),
    }));
    return {
      id: `${id}-${edge}`,
      title: `${stateName(source)} to node ${node}`,
      x: "epoch",
      format: "number",
      ...aligned(lines, marks),
      bands: [],
      marks,
      range,
      small: true,
    };
  });
}

/** Weights times the number of primitives of their edge. */
function shares({ weights }: EdgeWeights): number[][] {
  return weights.map((row) => row.map((weight) => weight * row.length));
}

/** The smallest and the largest share of both kinds of cell, and 1. */
export function shareRange(weights: readonly EpochWeights[]): [number, number] {
  return weights.flatMap(({ normal, reduce }) => [...shares(normal), ...shares(reduce)])
    .reduce<[number, number]>(
      ([low, high], row) => [Math.min(low, ...row), Math.max(high, ...row)],
      [1, 1],
    );
}

/** At most so many lines of each stage that a small chart can show, the last one included. */
function thinned(weights: readonly EpochWeights[]): EpochWeights[] {
  return [...Map.groupBy(weights, ({ stage }) => stage).values()].flatMap((lines) => {
    const every = Math.ceil(lines.length / MOST_PLACES);
    return lines.filter((_, index) => (lines.length - 1 - index) % every === 0);
  });
}

/** The primitive of an edge with the largest weight. */
export function strongest({ weights, kept }: EdgeWeights, edge: number): [Primitive, number] {
  const best = weights[edge].reduce((best, weight, i, row) => weight > row[best] ? i : best, 0);
  return [kept[edge][best], weights[edge][best]];
}

/** A genotype and what it is of. */
export interface NamedGenotype {
  readonly title: string;
  readonly genotype: Genotype;
}

/** The cells that the weights at the end of each stage give, the last of a stage that goes on included. */
export function stageGenotypes(run: RunRecord, weights: readonly EpochWeights[]): NamedGenotype[] {
  const stages = Map.groupBy(weights, ({ stage }) => stage);
  return [...stages].flatMap(([stage, lines]): NamedGenotype[] => {
    const last = lines[lines.length - 1];
    const ended = run.log.some((line) => line.type === "drop" && line.stage === stage);
    const title = `Stage ${stage}${ended ? "" : `, epoch ${last.epoch}`}`;
    try {
      return [{ title, genotype: deriveGenotype(last) }];
    } catch (error) {
      if (error instanceof RangeError) return []; // an edge that keeps `none` alone
      throw error;
    }
  });
}

/** The genotype that a value of a run's files holds; undefined where it holds none. */
export function genotypeIn(value: unknown): Genotype | undefined {
  try {
    return validateGenotype(value);
  } catch {
    return undefined;
  }
}
