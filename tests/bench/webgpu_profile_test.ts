/** The WebGPU profile's grouping and table on a step of three calls. */

import { program } from "../../backends/webgpu/program.ts";
import { byProgram, profileTable } from "../../bench/webgpu_profile.ts";
import { assertEquals } from "../assert.ts";

Deno.test("byProgram() keeps the calls of a program together and in order", () => {
  const source = "struct Uniforms { size: u32 }";
  const [a, b] = ["a", "b"].map((name) => program(name, source));
  const calls = [a, b, a].map((program, size) => ({
    program,
    call: { buffers: [], uniforms: { size }, invocations: 1 },
  }));
  assertEquals([...byProgram(calls)], [["a", [calls[0], calls[2]]], ["b", [calls[1]]]]);
});

Deno.test("profileTable() sorts programs by time and gives their shares of the sum", () => {
  const programs = [
    { name: "pool", calls: 2, milliseconds: 10 },
    { name: "convolution", calls: 3, milliseconds: 40 },
  ];
  const text = profileTable({ programs, tfjsCalls: 7 });
  assertEquals(text.split("\n").map((line) => line.split(/ {2,}/)), [
    ["program", "calls", "ms", "share"],
    ["convolution", "3", "40.0", "80.0 %"],
    ["pool", "2", "10.0", "20.0 %"],
    ["all of these", "5", "50.0", "100.0 %"],
    ["tfjs's own, not timed", "7"],
  ]);
});
