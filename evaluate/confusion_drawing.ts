/**
 * The confusion matrix as a picture: a row for each class, a column for each that it was taken for, the
 * darker the more often. Up to twenty classes have their names and counts, more have none.
 *
 * The SVG uses the fonts that `nn/draw.ts` paints with. The same matrix gives the same text.
 */

/** Classes whose names and counts can be read. */
const MOST_NAMED = 20;
/** Side of the matrix with names, of a cell without, and room for names, in pixels. */
const NAMED_CELL = 44, BARE_CELL = 7, MARGIN = 110, GAP = 8;
const FONT = "Times New Roman,Times,Tinos,serif";

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
  const named = classes.length <= MOST_NAMED;
  const side = named ? NAMED_CELL : BARE_CELL, margin = named ? MARGIN : 2 * GAP;
  const top = margin + 3 * GAP + 16, size = side * classes.length;
  const width = margin + size + 2 * GAP, height = top + size + 4 * GAP;
  const cells = confusion.flatMap((row, label) => {
    const images = Math.max(1, row.reduce((sum, count) => sum + count, 0));
    return row.map((count, taken) =>
      cell({ x: margin + taken * side, y: top + label * side, side, share: count / images }) +
      (named && count > 0 ? countText(count, { label, taken, images, margin, top }) : "")
    );
  });
  const names = named ? classes.map((name, index) => namesOf(name, index, { margin, top })) : [];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" ` +
    `viewBox="0 0 ${width} ${height}" font-family="${FONT}" font-size="16">`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    text(title, { x: width / 2, y: 3 * GAP, anchor: "middle" }),
    ...cells,
    ...names,
    text("columns: taken for", { x: margin + size, y: top + size + 3 * GAP, anchor: "end" }),
    "</svg>",
  ].join("\n");
}

function cell(
  { x, y, side, share }: { x: number; y: number; side: number; share: number },
): string {
  const light = Math.round(100 - 70 * Math.sqrt(share));
  return `<rect x="${x}" y="${y}" width="${side}" height="${side}" ` +
    `fill="hsl(210, 60%, ${light}%)" stroke="white"/>`;
}

function countText(
  count: number,
  { label, taken, images, margin, top }: {
    label: number;
    taken: number;
    images: number;
    margin: number;
    top: number;
  },
): string {
  return text(String(count), {
    x: margin + (taken + 0.5) * NAMED_CELL,
    y: top + (label + 0.5) * NAMED_CELL + 5,
    anchor: "middle",
    fill: count > images / 4 ? "white" : "black",
  });
}

/** A class's name left of its row and, upright, above its column. */
function namesOf(name: string, index: number, { margin, top }: { margin: number; top: number }) {
  const middle = (index + 0.5) * NAMED_CELL + 5;
  const x = margin + middle, y = top - GAP;
  return text(name, { x: margin - GAP, y: top + middle, anchor: "end" }) +
    text(name, { x, y, anchor: "start", more: ` transform="rotate(-90 ${x} ${y})"` });
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
