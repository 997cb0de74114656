/**
 * The CPU kernels at the shapes of the evaluation network (36, 72 and 144 channels), each beside the
 * machine's measured roofs: `deno task bench:kernels`.
 *
 * A kernel's roof is the longer of two times, that of its operations at the multiply-add roof and that
 * of its bytes at the copy roof; operations and bytes are those of backends/cpu/profile.ts. Its vector roof counts
 * the operations of whole vectors instead, which the shape needs (36 channels are 4.5 vectors). Prints the
 * kernels, the furthest from its roof first, and writes bench/results/kernels_<date>.json.
 * Options: --batch 32 --threads (all cores) --repeats 9 --filter (a part of their names; nothing is written).
 */

import * as tf from "@tensorflow/tfjs-core";
import { parseArgs } from "deno-std/cli/parse_args.js";
import type { CpuBackend } from "../backends/cpu/backend.ts";
import { KernelProfile } from "../backends/cpu/profile.ts";
import { measureRoofs } from "../backends/cpu/roof.ts";
import { startBackend } from "../backends/mod.ts";
import { evaluationCalls } from "./evaluation_calls.ts";
import { saveResult } from "./results.ts";

/** A kernel's best time of all repeats, its rates, and how many times its roofs' times that is. */
interface KernelRow {
  kernel: string;
  milliseconds: number;
  gflops: number;
  gigabytes: number;
  timesRoof: number;
  timesVectorRoof: number;
}

const options = parseArgs(Deno.args, {
  string: ["batch", "threads", "repeats", "filter"],
  default: { batch: "32", repeats: "9", filter: "" },
});
const [batch, repeats] = [Number(options.batch), Number(options.repeats)];
const threads = Number(options.threads ?? navigator.hardwareConcurrency);

await startBackend("cpu", { threads });
const backend = tf.backend() as unknown as CpuBackend;
const roofs = measureRoofs(backend);
const rows = evaluationCalls(batch)
  .filter(({ name }) => name.includes(options.filter))
  .flatMap(({ name, run }) => measure(name, run))
  .sort((a, b) => b.timesRoof - a.timesRoof);
print();
if (options.filter === "") await save();
backend.dispose();

/** Runs a call and its gradients; a row for each kernel it runs. */
function measure(name: string, run: () => void): KernelRow[] {
  for (let warm = 0; warm < 3; warm++) tf.tidy(run);
  const best = new Map<string, KernelRow>();
  for (let repeat = 0; repeat < repeats; repeat++) {
    const profile = backend.profile = new KernelProfile();
    tf.tidy(run);
    backend.profile = undefined;
    for (const { label, flops, bytes, vectorFlops, milliseconds } of profile.totals()) {
      const direction = label.includes("backward") ? "backward" : "forward";
      const kernel = `${name}, ${direction}`, known = best.get(kernel);
      if (known && known.milliseconds <= milliseconds) continue;
      const roofOf = (operations: number) =>
        Math.max(operations / roofs.gflops, bytes / roofs.gigabytes) / 1e6;
      best.set(kernel, {
        kernel,
        milliseconds,
        gflops: flops / milliseconds / 1e6,
        gigabytes: bytes / milliseconds / 1e6,
        timesRoof: milliseconds / roofOf(flops),
        timesVectorRoof: milliseconds / roofOf(vectorFlops),
      });
    }
  }
  return [...best.values()];
}

function print(): void {
  console.log(
    `batch ${batch}, ${threads} threads, Deno ${Deno.version.deno}; ` +
      `roofs: ${roofs.gflops.toFixed(0)} GFLOP/s, ${roofs.gigabytes.toFixed(0)} GB/s\n`,
  );
  const line = (label: string, cells: string[]) =>
    label.padEnd(52) + cells.map((cell) => cell.padStart(10)).join("");
  console.log(line("kernel", ["ms", "GFLOP/s", "GB/s", "x roof", "x vectors"]));
  for (const { kernel, milliseconds, gflops, gigabytes, timesRoof, timesVectorRoof } of rows) {
    const cells = [milliseconds.toFixed(2), gflops.toFixed(1), gigabytes.toFixed(1)];
    console.log(line(kernel, [...cells, timesRoof.toFixed(1), timesVectorRoof.toFixed(1)]));
  }
}

async function save(): Promise<void> {
  const shape = { batch, threads }, versions = { deno: Deno.version.deno, v8: Deno.version.v8 };
  const file = await saveResult("kernels", { shape, versions, repeats, roofs, kernels: rows });
  console.log(`\nsaved ${file.pathname.split("/").slice(-3).join("/")}`);
}
