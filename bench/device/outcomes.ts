/** What the programs that checks start have shown: their exit codes and texts, judged. */

import type { Ended } from "./child.ts";

/** What a check has come to. */
export interface Outcome {
  status: "passed" | "failed" | "left out";
  /** Why it failed or was left out: one sentence. */
  reason?: string;
  /** Tests. */
  passed?: number;
  failed?: number;
  /** Names of the tests that failed. */
  failures?: string[];
  /** What a bench measured. */
  result?: unknown;
}

/** Why a program failed that has no report of its own; undefined where it did not. */
export function failureOf({ code, timedOut, stderr }: Ended): string | undefined {
  if (timedOut) return "it took too long";
  if (code === 0) return undefined;
  const lines = stderr.split("\n").map((line) => line.trim()).filter(Boolean);
  const error = lines.find((line) => /^error\b/.test(line)) ?? lines.at(-1);
  return `it ended with code ${code}${error ? `: ${error}` : ""}`;
}

/** Reads what `deno test` printed. A run without a test has failed. */
export function testOutcome(ended: Ended): Outcome {
  const { code, stdout } = ended;
  const [, passed, failed] = stdout.match(/^(?:ok|FAILED) \| (\d+) passed.*?\| (\d+) failed/m) ??
    [];
  if (passed === undefined) {
    return { status: "failed", reason: failureOf(ended) ?? "it told no result" };
  }
  const counts = { passed: Number(passed), failed: Number(failed) };
  const failures = [...stdout.matchAll(/^(?! )(.+) => \.\/\S+$/gm)].map(([, name]) => name);
  if (code !== 0) {
    const reason = counts.failed === 0 ? failureOf(ended) : undefined;
    return { status: "failed", ...counts, failures: [...new Set(failures)], reason };
  }
  if (counts.passed === 0) return { status: "failed", ...counts, reason: "no test ran" };
  return { status: "passed", ...counts };
}

/** Reads the last line that a bench printed, of JSON. */
export function benchOutcome(ended: Ended): Outcome {
  const reason = failureOf(ended);
  if (reason !== undefined) return { status: "failed", reason };
  return { status: "passed", result: JSON.parse(ended.stdout.trim().split("\n").at(-1)!) };
}

/** Reads what compute-sanitizer printed. */
export function sanitizerOutcome(ended: Ended): Outcome {
  const text = ended.stdout + ended.stderr;
  const errors = text.match(/ERROR SUMMARY: (\d+) error/)?.[1] ??
    text.match(/RACECHECK SUMMARY: (\d+) hazard/)?.[1];
  if (errors === undefined) {
    return { status: "failed", reason: failureOf(ended) ?? "it told no result" };
  }
  if (errors !== "0") return { status: "failed", reason: `it found ${errors} errors` };
  const reason = failureOf(ended);
  return reason === undefined ? { status: "passed" } : { status: "failed", reason };
}

/** A measurement without its times, which mean nothing where the CPU stands in for a card. */
export function withoutTimes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutTimes);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).filter(([key]) => !/milliseconds$/i.test(key))
      .map(([key, inner]) => [key, withoutTimes(inner)]),
  );
}

/** Files that a search leaves. */
export interface SearchFiles {
  /** `genotypes.json` and `log.jsonl`. */
  genotypes: string;
  log: string;
}

/** Largest relative difference of a loss from the CPU backend's. */
const LOSS_TOLERANCE = 1e-4;

/** Compares a search with the same one on the CPU backend: its genotypes, and every loss. */
export function searchOutcome(actual: SearchFiles, expected: SearchFiles): Outcome {
  if (actual.genotypes !== expected.genotypes) {
    return { status: "failed", reason: "its genotypes are not the cpu's" };
  }
  const losses = lossesOf(actual.log), reference = lossesOf(expected.log);
  if (losses.length !== reference.length || reference.length === 0) {
    const reason = `it has ${losses.length} losses, the cpu ${reference.length}`;
    return { status: "failed", reason };
  }
  const errors = losses.map((loss, index) => Math.abs(loss - reference[index]) / reference[index]);
  const worst = Math.max(...errors.map((error) => Number.isNaN(error) ? Infinity : error));
  if (worst > LOSS_TOLERANCE) {
    return { status: "failed", reason: `a loss is ${worst.toExponential(1)} off the cpu's` };
  }
  return { status: "passed", result: { losses: losses.length, worstRelativeError: worst } };
}

function lossesOf(log: string): number[] {
  const losses: number[] = [];
  for (const line of log.trim().split("\n")) {
    JSON.parse(line, (key, value) => {
      if (key === "loss") losses.push(value);
      return value;
    });
  }
  return losses;
}
