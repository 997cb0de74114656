/** What the page and the search's worker tell each other. Invariant: all of it is plain JSON. */

import type { Genotype } from "../nn/genotypes.ts";
import type { Report } from "../nn/metrics.ts";
import type { KeptPrimitives } from "../search/edge_weights.ts";
import type { BackendChoice } from "./demo_backend.ts";
import type { DemoSettings } from "./demo_config.ts";

/** From the page. */
export type Command =
  | { readonly type: "start"; readonly backend: BackendChoice; readonly settings: DemoSettings }
  | { readonly type: "pause" }
  | { readonly type: "resume" };

/** Where the search stands, counted from 1. */
export interface Place {
  readonly stage: number;
  readonly epoch: number;
}

/** How far the search is within its epoch. */
export interface StepNews extends Place {
  readonly type: "step";
  /** Whether the epoch's validation is under way. */
  readonly validating: boolean;
  /** Steps done, or batches of the validation. */
  readonly step: number;
  /** Images a second of late. */
  readonly imagesPerSecond: number;
}

/** Mean losses in nats, since the last report, of the images that weights and alphas are trained on. */
export interface ReportNews extends Place {
  readonly type: "report";
  /** Steps done in the epoch. */
  readonly step: number;
  readonly weights: Report;
  /** Absent in epochs that train no alphas. */
  readonly alphas?: Report;
}

/** The means over a validation. */
export interface ValidationNews extends Place, Report {
  readonly type: "validation";
}

/** One kind of cell's architecture weights. */
export interface CellWeights {
  /** Softmax of the alphas, `[14][kept]`. */
  readonly weights: readonly (readonly number[])[];
  /** The primitives they belong to. */
  readonly kept: KeptPrimitives;
}

/** The architecture after an epoch, and the cells that it would yield if the search ended there. */
export interface ArchitectureNews extends Place {
  readonly type: "architecture";
  readonly normal: CellWeights;
  readonly reduce: CellWeights;
  readonly genotype: Genotype;
}

/** From the worker. */
export type News =
  | { readonly type: "backend"; readonly description: string; readonly notes: readonly string[] }
  | { readonly type: "compiling"; readonly done: number; readonly total: number }
  | StepNews
  | ReportNews
  | ValidationNews
  | ArchitectureNews
  | { readonly type: "stage"; readonly stage: number; readonly parameters: number }
  | { readonly type: "paused" }
  | { readonly type: "done"; readonly genotype: Genotype; readonly seconds: number }
  | { readonly type: "failed"; readonly message: string };
