/**
 * What a long run shows: one line that is redrawn in a terminal, and plain lines elsewhere.
 *
 * A library would bring bars for many tasks at once; this is a carriage return, an erase and a limit on
 * redraws.
 */

import { attempt } from "./run_files.ts";

/** Redraws of the line in the terminal are at least this far apart, in milliseconds. */
const REDRAW_INTERVAL = 100;

/** Where a {@linkcode ProgressLine} is shown. */
export interface ProgressOutput {
  /** Whether lines can be redrawn. */
  readonly terminal: boolean;
  /** Width in characters; asked at each redraw, as windows change. */
  columns(): number;
  /** Writes all of the text. */
  write(text: string): void;
}

/** Standard output. */
export function standardOutput(): ProgressOutput {
  const encoder = new TextEncoder();
  return {
    terminal: Deno.stdout.isTerminal(),
    columns: () => Deno.consoleSize().columns,
    write: (text) => {
      const bytes = encoder.encode(text);
      attempt("write to standard output", () => {
        for (let written = 0; written < bytes.length;) {
          written += Deno.stdout.writeSync(bytes.subarray(written));
        }
      });
    },
  };
}

/** The last line of the output, redrawn in place, and lasting lines above it. */
export class ProgressLine {
  readonly #output: ProgressOutput;
  #shown = "";
  #drawnAt = -Infinity;

  /** Writes nothing yet. */
  constructor(output: ProgressOutput) {
    this.#output = output;
  }

  /**
   * Shows the state of the run where lines can be redrawn; does nothing elsewhere.
   *
   * @param parts What to show, most important first: those that do not fit are left out.
   */
  update(parts: readonly string[], { now = performance.now() }: { now?: number } = {}): void {
    if (!this.#output.terminal || now - this.#drawnAt < REDRAW_INTERVAL) return;
    this.#drawnAt = now;
    this.#shown = fit(parts, this.#output.columns() - 1);
    this.#output.write(`\r\x1b[K${this.#shown}`);
  }

  /** Prints a line that stays. */
  print(line: string): void {
    if (!this.#output.terminal) return this.#output.write(`${line}\n`);
    this.#output.write(`\r\x1b[K${line}\n${this.#shown}`);
  }

  /** Prints a report: a line that stays where lines cannot be redrawn, else the redrawn line. */
  report(parts: readonly string[]): void {
    if (this.#output.terminal) this.update(parts);
    else this.#output.write(`${parts.join("  ")}\n`);
  }

  /** Removes the redrawn line. */
  clear(): void {
    if (this.#shown !== "") this.#output.write("\r\x1b[K");
    this.#shown = "";
    this.#drawnAt = -Infinity;
  }
}

function fit(parts: readonly string[], width: number): string {
  let line = "";
  for (const part of parts) {
    const longer = line === "" ? part : `${line}  ${part}`;
    if (longer.length > width) break;
    line = longer;
  }
  return line;
}

/** How fast work is being done: an average in which a minute ago counts a third of now. */
export class Pace {
  /** Milliseconds in which the weight of a measurement falls by e. */
  static readonly MEMORY = 60_000;

  #work = 0;
  #time = 0;

  /** Counts work done, in any unit, in `milliseconds`. */
  add(work: number, milliseconds: number): void {
    const keep = Math.exp(-milliseconds / Pace.MEMORY);
    this.#work = this.#work * keep + work;
    this.#time = this.#time * keep + milliseconds;
  }

  /** Work per millisecond; undefined before any is done. */
  rate(): number | undefined {
    return this.#time > 0 && this.#work > 0 ? this.#work / this.#time : undefined;
  }
}

/** A duration for people: `45 s`, `3 min 20 s`, `2 h 05 min`, `3 d 04 h`. */
export function formatDuration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  const pad = (value: number) => String(value).padStart(2, "0");
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${pad(seconds % 60)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} min`;
  const hours = Math.round(minutes / 60);
  return `${Math.floor(hours / 24)} d ${pad(hours % 24)} h`;
}
