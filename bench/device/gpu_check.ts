/**
 * `deno task gpu:check`: everything that only a GPU can tell, in one command, with a report.
 *
 * Each check is a process of its own, so that none takes the others with it, and has a time limit. On a
 * card times are measured and reported; on the emulator and on software Vulkan the same checks run on
 * small networks, and the report says so and has no times. Writes bench/results/gpu_check_<date>.json;
 * what the checks print is kept in .cache/gpu_check.
 */

import project from "../../deno.json" with { type: "json" };
import { choice, type CommandSpec, decimal, parseCommandLine } from "../../nn/command_line.ts";
import { standardOutput } from "../../nn/progress.ts";
import { RunError } from "../../nn/run_files.ts";
import { runMain } from "../../nn/run_main.ts";
import { thisMachine } from "../peers/machine.ts";
import { saveResult } from "../results.ts";
import {
  CHECK_NAMES,
  CHECKED_BACKENDS,
  type CheckedBackend,
  type CheckName,
  CHECKS,
} from "./checks.ts";
import { outputOf, runProgram } from "./child.ts";
import type { Outcome } from "./outcomes.ts";
import type { Probe } from "./probe.ts";

/** Of logs and of the searches' runs. */
const FOLDER = ".cache/gpu_check";
const PROBE = "bench/device/probe.ts";
/** The longest that a check's programs may take on a card, and where the CPU stands in for one. */
const SECONDS = { gpu: 240, cpu: 1800 };
/** A check that has less than this left is not begun, in seconds. */
const LEAST_SECONDS = 10;

/** A check that was made or left out. */
interface Check extends Outcome {
  backend: CheckedBackend;
  name: CheckName | "start";
  seconds: number;
}

const COMMAND: CommandSpec = {
  command: "deno task gpu:check",
  summary: "Checks and times the backends on this machine's GPU.",
  options: [
    {
      name: "backend",
      type: choice(CHECKED_BACKENDS),
      help: "the one to check",
      hint: "(default: all)",
      group: "Options:",
    },
    {
      name: "only",
      type: choice(CHECK_NAMES),
      help: "the one check to make",
      hint: "(default: all)",
      group: "Options:",
    },
    {
      name: "minutes",
      type: decimal({ min: 0, above: true }),
      help: "end after so many",
      hint: "(default: no limit)",
      group: "Options:",
    },
  ],
};

const program = {
  command: COMMAND.command,
  run: "deno run -q -P=gpu-check",
  script: "bench/device/gpu_check.ts",
  folders: { read: ["."], write: [".cache", "bench/results"] },
};

async function probeBackend(backend: CheckedBackend): Promise<Probe | { absent: string }> {
  const { stdout, stderr } = await runProgram({
    command: [Deno.execPath(), ...["run", "-q", "-P=backends", "--no-check"], PROBE, backend],
    seconds: SECONDS.gpu,
    log: `${FOLDER}/${backend}_probe.log`,
  });
  return stdout === "" ? { absent: stderr.trim() || "it took too long" } : JSON.parse(stdout);
}

/** The card as NVIDIA's driver describes it; nothing where there is no such driver. */
async function nvidiaCard(): Promise<Record<string, string> | null> {
  const fields = ["name", "driver_version", "memory.total", "clocks.max.sm", "power.limit"];
  const query = [`--query-gpu=${fields.join()}`, "--format=csv,noheader"];
  const values = (await outputOf("nvidia-smi", ...query))?.split("\n")[0].split(", ");
  return values ? Object.fromEntries(fields.map((field, index) => [field, values[index]])) : null;
}

function line({ backend, name, status, passed, reason, failures, seconds }: Check): string {
  const details = [
    passed === undefined ? "" : `${passed} tests`,
    reason ?? "",
    failures?.length ? failures.join(", ") : "",
  ].filter(Boolean).join("; ");
  const time = `${seconds.toFixed(0)} s`;
  return `${backend.padEnd(7)} ${name.padEnd(10)} ${status.padEnd(8)} ${
    time.padStart(5)
  }  ${details}`
    .trimEnd();
}

/** What a person chose; undefined stands for all, and for no limit. */
interface Options {
  backend?: CheckedBackend;
  only?: CheckName;
  minutes?: number;
}

/** Makes all checks of a backend that were chosen. @returns what it runs on */
async function checkBackend(
  backend: CheckedBackend,
  { only, deadline, card, add }: {
    only?: CheckName;
    /** On the clock of `performance.now()`. */
    deadline: number;
    /** Whether there is a card of NVIDIA's, on which cudnn must start. */
    card: boolean;
    add: (check: Check) => void;
  },
): Promise<Probe | { absent: string }> {
  const probe = await probeBackend(backend);
  if ("absent" in probe) {
    const status = backend === "cudnn" && card ? "failed" : "left out";
    add({ backend, name: "start", status, reason: probe.absent, seconds: 0 });
    return probe;
  }
  add({ backend, name: "start", status: "passed", reason: describe(probe), seconds: 0 });
  for (const name of CHECK_NAMES.filter((name) => only === undefined || only === name)) {
    const start = performance.now(), most = probe.kind === "gpu" ? SECONDS.gpu : SECONDS.cpu;
    const left = () => (deadline - performance.now()) / 1000;
    const seconds = () => Math.max(1, Math.min(left(), most));
    const outcome: Outcome = left() < LEAST_SECONDS
      ? { status: "left out", reason: "there was no time left" }
      : await CHECKS[name]({ backend, probe, seconds, folder: FOLDER }).catch(failed);
    add({ backend, name, ...outcome, seconds: (performance.now() - start) / 1000 });
  }
  return probe;
}

/** A check that did not even come to its end, so that the others are made nevertheless. */
function failed(error: unknown): Outcome {
  return { status: "failed", reason: error instanceof Error ? error.message : String(error) };
}

function describe({ kind, description }: Probe): string {
  return kind === "gpu" ? description : `${description}: ${kind}, times are left out`;
}

async function makeFolder(): Promise<void> {
  await Deno.remove(FOLDER, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  await Deno.mkdir(FOLDER, { recursive: true });
}

await runMain(program, async (args) => {
  const parsed = parseCommandLine(COMMAND, args), output = standardOutput();
  if ("help" in parsed) {
    output.write(parsed.help);
    return "done";
  }
  const { backend: chosen, only, minutes = Infinity } = parsed.values as Options;
  const deadline = performance.now() + minutes * 60_000;
  await makeFolder();
  const card = await nvidiaCard(), checks: Check[] = [];
  const backends: Record<string, Probe | { absent: string }> = {};
  const add = (check: Check) => {
    checks.push(check);
    output.write(`${line(check)}\n`);
  };
  for (const backend of chosen === undefined ? CHECKED_BACKENDS : [chosen]) {
    backends[backend] = await checkBackend(backend, { only, deadline, card: card !== null, add });
  }
  const { pathname } = await saveResult("gpu_check", {
    version: project.version,
    date: new Date().toISOString(),
    machine: thisMachine(),
    card,
    versions: { deno: Deno.version.deno, v8: Deno.version.v8 },
    backends,
    checks,
  });
  output.write(`saved ${pathname}\n`);
  const failures = checks.filter(({ status }) => status === "failed").length;
  if (failures > 0) throw new RunError(`Checks failed: ${failures}; their logs are in ${FOLDER}`);
  if (!checks.some(({ status }) => status === "passed")) {
    throw new RunError("Cannot check anything here: no backend finds a device");
  }
  return "done";
});
