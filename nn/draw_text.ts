/**
 * A cell drawn with box characters for the terminal: each state is a rail that runs down
 * from where it is computed to its last use; each operation is a line from its source's rail
 * (left end) to the node it enters (right end), with its primitive to the right.
 *
 * Invariant: at most 80 columns for cells of up to six nodes.
 */

import { OUTPUT_NAME, stateName } from "./draw.ts";
import type { CellGenotype } from "./genotypes.ts";
import { CELL_INPUTS } from "./primitives.ts";

/** Columns from one rail to the next: the widest name, `c_{k-2}`, and a space. */
const PITCH = 8;

/**
 * Draws one cell, for example the first node of P-DARTS's normal cell:
 *
 *      c_{k-2} c_{k-1}
 *         │       │
 *         ├───────┼───────╮  skip_connect
 *         │       ├───────┤  dil_conv_3x3
 *         │       │      (0)
 *
 * A rail that a line merely crosses is drawn as ┼. At the foot, the concatenated nodes run
 * together into `c_{k}`.
 *
 * @param title a line above the drawing; none by default
 * @returns lines without trailing spaces, joined by line breaks
 */
export function cellText(
  { entries, concat }: CellGenotype,
  { title = "" }: { title?: string } = {},
): string {
  const states = CELL_INPUTS + entries.length / 2;
  const lastUse = Array.from(
    { length: states },
    (_, state) =>
      concat.includes(state)
        ? entries.length
        : entries.findLastIndex(([, source]) => source === state),
  );
  const railsBelow = (index: number, target: number) => {
    const line = new Line();
    for (let state = 0; state < target; state++) {
      if (lastUse[state] > index) line.put(rail(state), "│");
    }
    return line;
  };

  const lines: Line[] = [];
  const names = new Line();
  for (let input = 0; input < CELL_INPUTS; input++) names.centre(rail(input), stateName(input));
  lines.push(names, railsBelow(-1, CELL_INPUTS));
  entries.forEach(([primitive, source], index) => {
    const target = CELL_INPUTS + (index >> 1);
    const second = index % 2 === 1;
    const line = railsBelow(index, target);
    line.wire(rail(source), rail(target));
    line.put(rail(source), lastUse[source] > index ? "├" : "╰");
    line.put(rail(target), second ? "┤" : "╮");
    line.put(rail(target) + 3, primitive);
    lines.push(line);
    if (second) {
      const below = railsBelow(index, target);
      below.centre(rail(target), `(${stateName(target)})`);
      lines.push(below);
    }
  });
  lines.push(outputLine(concat));
  return [...(title ? [title, ""] : []), ...lines.map(String)].join("\n");
}

/** The concatenation: `╰───────┴───────┴──▶ c_{k}`. */
function outputLine(concat: readonly number[]): Line {
  const line = new Line();
  const last = rail(concat[concat.length - 1]);
  line.wire(rail(concat[0]), last);
  concat.forEach((state, index) => line.put(rail(state), index === 0 ? "╰" : "┴"));
  line.put(last + 1, `──▶ ${OUTPUT_NAME}`);
  return line;
}

function rail(state: number): number {
  return PITCH / 2 + PITCH * state;
}

/** One line of text, written by column. */
class Line {
  readonly #characters: string[] = [];

  put(column: number, text: string): void {
    [...text].forEach((character, index) => this.#characters[column + index] = character);
  }

  centre(column: number, text: string): void {
    this.put(column - (text.length >> 1), text);
  }

  /** A horizontal line strictly between two columns that crosses the rails in between. */
  wire(from: number, to: number): void {
    for (let column = from + 1; column < to; column++) {
      this.#characters[column] = this.#characters[column] === "│" ? "┼" : "─";
    }
  }

  toString(): string {
    return Array.from(this.#characters, (character) => character ?? " ").join("");
  }
}
