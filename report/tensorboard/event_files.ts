/**
 * The event file of a run, in the folder `tensorboard` of its own: `tensorboard --logdir RUN` shows it.
 *
 * Invariant: each value is written once. A resumed run writes all of them into a new file in place of the one
 * before, as its log may have been cut back.
 */

import { attempt } from "../../nn/run_files.ts";
import { hasRun, readRun } from "../read_run.ts";
import { valueEvent, versionEvent } from "./messages.ts";
import { tfRecord } from "./records.ts";
import { valuesOf } from "./values.ts";

/** The event file, which grows with the run. */
export class EventFiles {
  readonly #run: string;
  readonly #written = new Set<string>();
  #path: string | undefined;

  /** Writes nothing yet. */
  constructor(run: string) {
    this.#run = run;
  }

  /**
   * Writes the values that have come since the last update.
   *
   * @throws {RunError} when the file cannot be written
   */
  async update(): Promise<void> {
    if (!hasRun(this.#run)) return;
    const run = readRun(this.#run), records: Uint8Array[] = [];
    for (const { value, ...place } of valuesOf(run)) {
      const key = `${place.tag} ${place.step}`;
      if (this.#written.has(key)) continue;
      const shown = typeof value === "function" ? await value() : value;
      records.push(tfRecord(valueEvent({ ...place, value: shown })));
      this.#written.add(key);
    }
    const path = this.#path ??= this.#begin();
    attempt(`write ${path}`, () => {
      for (const record of records) Deno.writeFileSync(path, record, { append: true });
    });
  }

  #begin(): string {
    const folder = `${this.#run}/tensorboard`, now = Date.now() / 1000;
    const path = `${folder}/events.out.tfevents.${Math.floor(now)}.pdarts`;
    attempt(`write ${path}`, () => {
      Deno.mkdirSync(folder, { recursive: true });
      for (const { name } of Deno.readDirSync(folder)) {
        if (/^events\.out\.tfevents\.\d+\.pdarts$/.test(name)) Deno.removeSync(`${folder}/${name}`);
      }
      Deno.writeFileSync(path, tfRecord(versionEvent(now)));
    });
    return path;
  }
}
