/**
 * Runs tfjs-core's own specs on our CPU backend, in the copy of tfjs-core that entries.ts had bundled.
 * Prints each failure and the counts; exit code 1 if a spec failed or too few ran.
 *
 * `deno task test:conformance PATTERN` runs the specs whose name matches.
 *
 * The specs want jasmine's functions as globals when they are loaded. Those that stay pending are
 * disabled by tfjs-core itself.
 */

import jasmineRequire from "jasmine-core/lib/jasmine-core/jasmine.js";
import { findBackend } from "@tensorflow/tfjs-core";
import { CPU_BACKEND, startCpuBackend } from "../../backends/cpu/backend.ts";

/** All 4230 specs of tfjs-core 4.22.0 but a few; fewer mean that some were not loaded. */
const LEAST_PASSED = 4200;
const BUNDLE = new URL("../../.cache/conformance/bundle/", import.meta.url);

interface SpecResult {
  status: "passed" | "failed" | "pending" | "excluded";
  fullName: string;
  failedExpectations: { message: string }[];
}

const jasmine = jasmineRequire.core(jasmineRequire);
const jasmineEnv = jasmine.getEnv();
Object.assign(globalThis, jasmineRequire.interface(jasmine, jasmineEnv), { jasmine });
jasmine.DEFAULT_TIMEOUT_INTERVAL = 20_000; // ms

await startCpuBackend({ threads: 2 });
// The specs reset tfjs between suites, which would end the backend's threads.
findBackend(CPU_BACKEND).dispose = () => {};
const { setTestEnvs } = await import(new URL("environments.js", BUNDLE).href);
setTestEnvs([{ name: CPU_BACKEND, backendName: CPU_BACKEND, isDataSync: true }]);
await import(new URL("specs.js", BUNDLE).href);

const pattern = new RegExp(Deno.args[0] ?? "");
jasmineEnv.configure({
  random: false,
  specFilter: (spec: { getFullName(): string }) => pattern.test(spec.getFullName()),
});

const counts = { passed: 0, failed: 0, pending: 0, excluded: 0 };
jasmineEnv.addReporter({
  specDone({ status, fullName, failedExpectations }: SpecResult) {
    counts[status]++;
    if (status !== "failed") return;
    console.log(`FAILED ${fullName}`);
    for (const { message } of failedExpectations) console.log(`  ${message.slice(0, 300)}`);
  },
});
const done = Promise.withResolvers<{ overallStatus: string; failedExpectations: unknown[] }>();
jasmineEnv.addReporter({ jasmineDone: done.resolve });
jasmineEnv.execute();
const { failedExpectations } = await done.promise;

const { passed, failed, pending } = counts;
const tooFew = Deno.args.length === 0 && passed + failed < LEAST_PASSED;
if (tooFew) console.log(`Too few specs ran: want at least ${LEAST_PASSED}`);
if (failedExpectations.length > 0) console.log("Failures outside specs:", failedExpectations);
console.log(`conformance: ${passed} passed, ${failed} failed, ${pending} pending`);
Deno.exit(failed > 0 || tooFew || failedExpectations.length > 0 ? 1 : 0);
