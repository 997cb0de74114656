/**
 * Runs tfjs-core's own specs on one of our backends, in the copy of tfjs-core that entries.ts had
 * bundled. Prints each failure and the counts; exit code 1 if a spec failed or too few ran.
 *
 * `deno task test:conformance PATTERN` runs the specs whose name matches, on the CPU backend, which
 * passes all, as the cuDNN backend does: `deno task test:conformance:cudnn PATTERN`, on the emulator.
 * `deno task test:conformance:webgpu PATTERN` runs them on the WebGPU backend. There those specs may
 * fail that tfjs-backend-webgpu itself fails, which are listed in webgpu_stock_failures.txt; with
 * `--stock` the specs run on tfjs-backend-webgpu, and that list is made anew.
 *
 * The specs want jasmine's functions as globals when they are loaded. Those that stay pending are
 * disabled by tfjs-core itself.
 */

import jasmineRequire from "jasmine-core/lib/jasmine-core/jasmine.js";
import { findBackend } from "@tensorflow/tfjs-core";

/** All 4230 specs of tfjs-core 4.22.0 but a few; fewer mean that some were not loaded. */
const LEAST_RUN = 4200;
/** ms a spec may take, where its suite does not set another time. */
const TIMEOUT = 20_000;
const BUNDLE = new URL("../../.cache/conformance/bundle/", import.meta.url);

const BACKENDS = ["cpu", "webgpu", "cudnn"] as const;

/** What to run. */
interface Run {
  backend: typeof BACKENDS[number];
  /** Whether to run on tfjs-backend-webgpu instead of ours. */
  stock: boolean;
  /** Of the names of specs. */
  pattern: string;
}

interface SpecResult {
  status: "passed" | "failed" | "pending" | "excluded";
  fullName: string;
  failedExpectations: { message: string }[];
}

function parseArguments(args: readonly string[]): Run {
  const run: Run = { backend: "cpu", stock: false, pattern: "" };
  for (const arg of args) {
    const backend = BACKENDS.find((name) => arg === `--backend=${name}`);
    if (backend) run.backend = backend;
    else if (arg === "--stock") run.stock = true;
    else if (arg.startsWith("--")) throw new RangeError(`Unknown option ${arg}`);
    else run.pattern = arg;
  }
  if (run.stock && run.backend !== "webgpu") throw new RangeError("--stock wants --backend=webgpu");
  return run;
}

/** Starts the backend under test. */
async function start({ backend, stock }: Run): Promise<{ tfjsName: string; description: string }> {
  if (backend === "webgpu") {
    const { startOurs, startStock } = await import("./webgpu.ts");
    return await (stock ? startStock() : startOurs());
  }
  const { STARTERS } = await import("../../backends/starters.ts");
  const started = await STARTERS[backend]({ threads: 2 });
  // The specs reset tfjs between suites, which would end the backend.
  findBackend(started.tfjsName).dispose = () => {};
  return started;
}

/** Runs the specs; returns whether all went well. */
async function main(run: Run): Promise<boolean> {
  const jasmine = jasmineRequire.core(jasmineRequire);
  const jasmineEnv = jasmine.getEnv();
  Object.assign(globalThis, jasmineRequire.interface(jasmine, jasmineEnv), { jasmine });

  const { tfjsName, description } = await start(run);
  console.log(`tfjs-core's specs on ${description}`);
  const { setTestEnvs } = await import(new URL("environments.js", BUNDLE).href);
  setTestEnvs([{ name: run.backend, backendName: tfjsName, isDataSync: true }]);
  await import(new URL("tfjs.js", BUNDLE).href);
  await import(new URL("specs.js", BUNDLE).href);

  const pattern = new RegExp(run.pattern);
  jasmineEnv.configure({
    random: false,
    specFilter: (spec: { getFullName(): string }) => pattern.test(spec.getFullName()),
  });

  const mayFail = run.backend === "webgpu" && !run.stock
    ? await (await import("./webgpu.ts")).readStockFailures()
    : new Set<string>();
  const counts = { passed: 0, failed: 0, pending: 0, excluded: 0, known: 0 };
  const failures = new Set<string>();
  const done = Promise.withResolvers<{ failedExpectations: unknown[] }>();
  jasmineEnv.addReporter({
    // Two suites set up to 1000 s and leave it so.
    suiteStarted() {
      jasmine.DEFAULT_TIMEOUT_INTERVAL = TIMEOUT;
    },
    specDone({ status, fullName, failedExpectations }: SpecResult) {
      if (status === "passed" && mayFail.has(fullName)) {
        console.log(`Passes, although tfjs-backend-webgpu fails it: ${fullName}`);
      }
      if (status === "failed" && mayFail.has(fullName)) counts.known++;
      else counts[status]++;
      if (status !== "failed" || mayFail.has(fullName)) return;
      failures.add(fullName);
      console.log(`FAILED ${fullName}`);
      for (const { message } of failedExpectations) console.log(`  ${message.slice(0, 300)}`);
    },
    jasmineDone: done.resolve,
  });
  jasmineEnv.execute();
  const { failedExpectations } = await done.promise;

  const { passed, failed, known, pending } = counts;
  const least = run.pattern === "" ? LEAST_RUN : 1, tooFew = passed + failed + known < least;
  if (tooFew) console.log(`Too few specs ran: want at least ${least}`);
  if (failedExpectations.length > 0) console.log("Failures outside specs:", failedExpectations);
  const summary = `${passed} passed, ${failed} failed, ${pending} pending`;
  if (run.stock && run.pattern === "") {
    await (await import("./webgpu.ts")).writeStockFailures(failures, { description, summary });
  }
  const alike = mayFail.size > 0 ? `, ${known} fail on tfjs-backend-webgpu too` : "";
  console.log(`conformance: ${summary}${alike}`);
  return failed === 0 && !tooFew && failedExpectations.length === 0;
}

// jasmine takes uncaught errors, and Deno would then exit with 0.
Deno.exitCode = 1;
try {
  Deno.exit(await main(parseArguments(Deno.args)) ? 0 : 1);
} catch (error) {
  console.error(error);
  Deno.exit(1);
}
