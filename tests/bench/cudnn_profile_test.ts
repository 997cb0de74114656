/** The clock in front of NVIDIA's libraries, on ones that only count. */

import { cString } from "../../backends/cudnn/ffi/memory.ts";
import type { Libraries } from "../../backends/cudnn/ffi/open.ts";
import { TimedLibraries } from "../../bench/cudnn_profile.ts";
import { assertEquals } from "../assert.ts";

/** Libraries whose events are numbered and 20 ms apart; `calls` has what was started, in order. */
function countingLibraries(): { libraries: Libraries; calls: string[] } {
  const calls: string[] = [];
  let events = 0n;
  const start = (name: string) => () => {
    calls.push(name);
    return 0;
  };
  const cuda = {
    cuStreamCreate: (out: BigUint64Array) => {
      out[0] = 7n;
      return 0;
    },
    cuModuleGetFunction: (out: BigUint64Array, module: bigint) => {
      out[0] = 100n + module;
      return 0;
    },
    cuLaunchKernel: start("launch"),
    cuEventCreate: (out: BigUint64Array) => {
      out[0] = ++events;
      return 0;
    },
    cuEventRecord: (_event: bigint, stream: bigint) => start(`mark on ${stream}`)(),
    cuEventElapsedTime: (out: Float32Array, first: bigint, last: bigint) => {
      out[0] = 20 * Number(last - first);
      return 0;
    },
    cuEventDestroy_v2: () => 0,
  };
  const cudnn = { cudnnConvolutionForward: start("forward") };
  return { libraries: { cuda, cudnn } as unknown as Libraries, calls };
}

Deno.test("TimedLibraries repeats calls between two events and adds up their time by name", () => {
  const { libraries, calls } = countingLibraries(), clock = new TimedLibraries(libraries);
  const { cuda, cudnn } = clock.libraries, out = new BigUint64Array(1);
  cuda.cuStreamCreate(out, 1);
  cuda.cuModuleGetFunction(out, 3n, cString("pool"));
  const launch = () => cuda.cuLaunchKernel(103n, 1, 1, 1, 32, 1, 1, 0, 7n, null, null);
  const convolve = cudnn.cudnnConvolutionForward as unknown as () => number;
  launch();
  assertEquals(calls.splice(0), ["launch"]);
  clock.timing = true;
  launch();
  assertEquals(calls, ["mark on 7", ...new Array(10).fill("launch"), "mark on 7"]);
  convolve();
  launch();
  const totals = [...clock.takeTotals()];
  assertEquals(totals, [
    ["pool", { calls: 2, milliseconds: 4 }],
    ["cuDNN, forward", { calls: 1, milliseconds: 2 }],
  ]);
  assertEquals(clock.takeTotals().size, 0);
});
