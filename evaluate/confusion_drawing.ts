/**
 * The confusion matrix as a picture: a row for each class, a column for each that it was taken for, the
 * darker the more often. Up to twenty classes have their names and counts, up to a hundred have none; of
 * more the twenty of the lowest accuracy are drawn, with one column for all classes besides.
 *
 * The SVG uses the fonts that `nn/draw.ts` paints with. The same matrix gives the same text.
 */

import { worstClasses } from "./test_network.ts";

/** Classes whose names and counts can be read, and classes whose cells can be seen. */
const MOST_NAMED = 20, MOST_DRAWN = 100;
/** Letters of a name that fit. */
const NAME_LENGTH = 14;
/** Side of the matrix with names, of a cell without, and room for names, in pixels. */
const NAMED_CELL = 44, BARE_CELL = 7, MARGIN = 110, GAP = 8;
const FONT = "Times New Roman,Times,Tinos,serif";

/** What is drawn: counts of each row's images by column, and their sum over all columns there are. */
interface Matrix {
  readonly rows: readonly { name: string; counts: readonly number[]; images: number }[];
  readonly columns: readonly string[];
  /** Said below. */
  readonly caption: string;
}

/**
 * Draws the matrix.
 *
 * @param confusion `[classes][classes]` counts, rows are labels.
 * @param options.classes The classes' names.
 * @param options.title Written above.
 */
export function confusionSvg(
  confusion: readonly (readonly number[])[],
  { classes, title }: { classes: readonly string[]; title: string },
): string {
  const { rows, columns, caption } = matrixOf(confusion, classes);
  const named = rows.length <= MOST_NAMED;
  const side = named ? NAMED_CELL : BARE_CELL, margin = named ? MARGIN : 2 * GAP;
  const top = margin + 3 * GAP + 16;
  const right = margin + side * columns.length, bottom = top + side * rows.length;
  const width = right + 2 * GAP, height = bottom + 4 * GAP;
  const cells = rows.flatMap(({ counts, images }, row) =>
    counts.map((count, column) => {
      const place = { x: margin + column * side, y: top + row * side, side };
      const share = count / Math.max(1, images);
      return cell(place, share) + (named && count > 0 ? countText(count, place, share) : "");
    })
  );
  const rowNames = rows.map(({ name }, row) =>
    text(shortened(name), {
      x: margin - GAP,
      y: top + (row + 0.5) * side + 5,
      anchor: "end",
    })
  );
  const columnNames = columns.map((name, column) => {
    const x = margin + (column + 0.5) * side + 5, y = top - GAP;
    return text(shortened(name), {
      x,
      y,
      anchor: "start",
      more: ` transform="rotate(-90 ${x} ${y})"`,
    });
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" ` +
    `viewBox="0 0 ${width} ${height}" font-family="${FONT}" font-size="16">`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    text(title, { x: width / 2, y: 3 * GAP, anchor: "middle" }),
    ...cells,
    ...(named ? [...rowNames, ...columnNames] : []),
    text(caption, { x: right, y: bottom + 3 * GAP, anchor: "end" }),
    "</svg>",
  ].join("\n");
}

function matrixOf(
  confusion: readonly (readonly number[])[],
  classes: readonly string[],
): Matrix {
  const all = classes.length <= MOST_DRAWN;
  const labels = all ? [...classes.keys()] : worstClasses(confusion, MOST_NAMED);
  const rows = labels.map((label) => {
    const images = sum(confusion[label]), counts = labels.map((taken) => confusion[label][taken]);
    return {
      name: classes[label],
      counts: all ? counts : [...counts, images - sum(counts)],
      images,
    };
  });
  const columns = labels.map((label) => classes[label]);
  return all ? { rows, columns, caption: "columns: taken for" } : {
    rows,
    columns: [...columns, "others"],
    caption: `the lowest ${labels.length} of ${classes.length} classes; columns: taken for`,
  };
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

function shortened(name: string): string {
  const letters = [...name];
  return letters.length > NAME_LENGTH ? `${letters.slice(0, NAME_LENGTH - 1).join("")}…` : name;
}

/** Where a cell is, in pixels. */
interface Place {
  readonly x: number;
  readonly y: number;
  readonly side: number;
}

function cell({ x, y, side }: Place, share: number): string {
  const light = Math.round(100 - 70 * Math.sqrt(share));
  return `<rect x="${x}" y="${y}" width="${side}" height="${side}" ` +
    `fill="hsl(210, 60%, ${light}%)" stroke="white"/>`;
}

function countText(count: number, { x, y, side }: Place, share: number): string {
  const fill = share > 1 / 4 ? "white" : "black";
  return text(String(count), { x: x + side / 2, y: y + side / 2 + 5, anchor: "middle", fill });
}

function text(
  content: string,
  { x, y, anchor, fill = "black", more = "" }: {
    x: number;
    y: number;
    anchor: "start" | "middle" | "end";
    fill?: string;
    more?: string;
  },
): string {
  const escaped = content.replace(/[&<>]/g, (letter) => `&#${letter.charCodeAt(0)};`);
  return `<text x="${x}" y="${y}" text-anchor="${anchor}" fill="${fill}"${more}>${escaped}</text>`;
}
