/** A network's parameters and multiply-adds as a table for the terminal. */

import type { Counts, NetworkCounts } from "./count.ts";
import type { ImageShape } from "./count_ops.ts";

/** A count in millions with two decimals: `3.43 M`. */
export function millions(count: number): string {
  return `${(count / 1e6).toFixed(2)} M`;
}

/**
 * One row for each part and one for the whole: name, kind, output as height x width x
 * channels, parameters, multiply-adds, and operations (multiply-adds, BN, ReLU and pooling).
 *
 * @returns lines of equal width, at most 80 columns, joined by line breaks
 */
export function formatCounts(network: NetworkCounts): string {
  const rows = [
    ["part", "kind", "output", "parameters", "mult-adds", "operations"],
    ...network.parts.map((part) => [part.name, part.kind, shape(part.output), ...numbers(part)]),
    ["total", "", "", ...numbers(network)],
  ];
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const lines = rows.map((row) =>
    row.map((cell, column) =>
      column < 2 ? cell.padEnd(widths[column]) : cell.padStart(widths[column])
    ).join("  ")
  );
  const rule = "─".repeat(lines[0].length);
  return [lines[0], rule, ...lines.slice(1, -1), rule, lines[lines.length - 1]].join("\n");
}

function numbers({ parameters, multiplyAdds, operations }: Counts): string[] {
  return [parameters.toLocaleString("en-US"), millions(multiplyAdds), millions(operations)];
}

function shape({ height, width, channels }: ImageShape): string {
  return `${height}x${width}x${channels}`;
}
