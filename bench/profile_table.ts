/** The table of a step's profile, whatever computed it. */

import { align, milliseconds } from "./peers/report.ts";

/** The calls of one program or kernel in a step. */
export interface ProgramTotal {
  name: string;
  calls: number;
  /** Of all its calls; median of the rounds. */
  milliseconds: number;
}

/** Programs by their time, with their shares of the sum; behind them calls that were counted alone. */
export function profileTable(
  programs: readonly ProgramTotal[],
  untimed: { name: string; calls: number },
): string {
  const sumOf = (key: "calls" | "milliseconds") =>
    programs.reduce((sum, total) => sum + total[key], 0);
  const sum = sumOf("milliseconds");
  const line = ({ name, calls, milliseconds: time }: ProgramTotal) => [
    name,
    String(calls),
    milliseconds(time),
    `${(100 * time / sum).toFixed(1)} %`,
  ];
  return align([
    ["program", "calls", "ms", "share"],
    ...programs.toSorted((a, b) => b.milliseconds - a.milliseconds).map(line),
    line({ name: "all of these", calls: sumOf("calls"), milliseconds: sum }),
    [untimed.name, String(untimed.calls), "", ""],
  ]);
}
