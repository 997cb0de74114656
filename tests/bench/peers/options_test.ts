/** What the comparison takes on its command line. */

import { parsePeerOptions } from "../../../bench/peers/options.ts";
import { assertEquals, assertThrows } from "../../assert.ts";

Deno.test("parsePeerOptions() compares with PyTorch on the CPU unless told otherwise", () => {
  const { threads, ...options } = parsePeerOptions(["--steps=3", "--variants=nchw"]) as {
    threads: number;
  };
  assertEquals(threads, navigator.hardwareConcurrency);
  assertEquals(options, {
    backend: "cpu",
    what: "search",
    batch: 96,
    layers: 5,
    channels: 16,
    rounds: 2,
    steps: 3,
    variants: ["nchw"],
  });
});

Deno.test("parsePeerOptions() takes the evaluation network's size from its workload", () => {
  const { batch, layers, channels } = parsePeerOptions(["--what=evaluation", "--layers=8"]);
  assertEquals({ batch, layers, channels }, { batch: 32, layers: 8, channels: 36 });
});

Deno.test("parsePeerOptions() has a smaller batch for WebGPU, where the peer is slow", () => {
  const args = ["--backend", "webgpu", "--adapter=low-power", "--rounds=2"];
  assertEquals(parsePeerOptions(args), {
    backend: "webgpu",
    adapter: "low-power",
    batch: 16,
    layers: 5,
    channels: 16,
    rounds: 2,
    steps: 3,
  });
});

Deno.test("parsePeerOptions() refuses what is unknown, out of range or another backend's", () => {
  for (
    const [args, message] of [
      [["--backend=cudnn"], "want cpu or webgpu"],
      [["--batch=0"], "want a positive integer"],
      [["--what=test"], "Unknown --what test: want search or evaluation or imagenet"],
      [["--variants=nhwc"], 'Unknown variant "nhwc"'],
      [["--adapter=software"], "Unknown option --adapter"],
      [["--backend=webgpu", "--adapter=fast"], 'Unknown adapter "fast"'],
      [["--backend=webgpu", "--variants=nchw"], "Unknown option --variants"],
      [["--backend=webgpu", "--threads=2"], "Unknown option --threads"],
    ] as const
  ) {
    assertThrows(() => parsePeerOptions([...args]), RangeError, message);
  }
});
