/** The WebGPU profile's grouping on a step of three calls. */

import { program } from "../../backends/webgpu/program.ts";
import { byProgram } from "../../bench/webgpu_profile.ts";
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
