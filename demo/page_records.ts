/**
 * A run that is kept in memory: what a search in Deno writes to its run folder is told to the page, and
 * the last checkpoint stays here to continue from.
 */

import type { Checkpoint } from "../nn/checkpoint.ts";
import type { LineLengths, RunRecords } from "../nn/run_folder.ts";
import { deriveGenotype } from "../search/derive.ts";
import { allPrimitives, type KeptPrimitives } from "../search/edge_weights.ts";
import type { News, Place } from "./messages.ts";

/** Lines that are news as they are; of the reports, those of training are too. */
const TOLD: ReadonlySet<unknown> = new Set(["stage", "validation"] satisfies News["type"][]);

type Kept = Record<"normal" | "reduce", KeptPrimitives>;

/** Tells the page what a search records. */
export class PageRecords implements RunRecords {
  readonly path = "this page";
  /** The state between two steps, once there is one. */
  checkpoint: Checkpoint | undefined;
  readonly #tell: (news: News) => void;
  #kept: Kept = { normal: allPrimitives(), reduce: allPrimitives() };
  #lengths = { log: 0, alphas: 0 };

  constructor(tell: (news: News) => void) {
    this.#tell = tell;
  }

  log(line: Record<string, unknown>): void {
    this.#lengths.log++;
    if (line.type === "drop") this.#kept = line as unknown as Kept;
    if (TOLD.has(line.type) || (line.type === "report" && "weights" in line)) {
      this.#tell(line as unknown as News);
    }
  }

  /** Speed is told with each step. */
  timing(): void {}

  alphas(line: Record<string, unknown>): void {
    this.#lengths.alphas++;
    const { stage, epoch, normal, reduce } = line as unknown as
      & Place
      & Record<"normal" | "reduce", number[][]>;
    const cells = {
      normal: { weights: normal, kept: this.#kept.normal },
      reduce: { weights: reduce, kept: this.#kept.reduce },
    };
    const genotype = deriveGenotype(cells);
    this.#tell({ type: "architecture", stage, epoch, ...cells, genotype });
  }

  lengths(): LineLengths {
    return { ...this.#lengths };
  }

  /** Nothing follows the checkpoint: a search stops with one. */
  cutBack({ log, alphas = 0 }: LineLengths): void {
    this.#lengths = { log, alphas };
  }

  save(checkpoint: Checkpoint): Promise<void> {
    this.checkpoint = structuredClone(checkpoint);
    return Promise.resolve();
  }
}
