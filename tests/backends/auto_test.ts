/** Tests of `auto`: which candidate it takes, and what it says of the others. */

import { type Candidate, startFirst } from "../../backends/auto.ts";
import { type Backend, BackendError } from "../../backends/contract.ts";
import { assertEquals, assertRejects } from "../assert.ts";

function works(name: "webgpu" | "cpu"): Candidate {
  const backend: Backend = {
    name,
    tfjsName: name,
    description: name,
    memory: () => ({ current: 0, peak: 0, reserved: 0 }),
    resetPeak: () => {},
    close: () => {},
  };
  return { name, start: () => Promise.resolve(backend) };
}

function fails(name: "webgpu" | "cpu", message: string): Candidate {
  return { name, start: () => Promise.reject(new BackendError(name, message)) };
}

Deno.test("startFirst() takes the first that starts, and says why not those before it", async () => {
  const { backend, notTaken } = await startFirst([
    { name: "cudnn" },
    fails("webgpu", "no adapter"),
    works("cpu"),
    works("webgpu"),
  ]);
  assertEquals(backend.name, "cpu");
  assertEquals(notTaken, ["cudnn is not part of this version", "no adapter"]);
  const second = await startFirst([{ name: "cudnn" }, { name: "webgpu" }, works("cpu")]);
  assertEquals(second.notTaken, ["cudnn and webgpu are not part of this version"]);
});

Deno.test("startFirst() goes on to the last, and gives every reason when all fail", async () => {
  const failing = [fails("webgpu", "it is software"), fails("cpu", "no memory")];
  const { backend, notTaken } = await startFirst([...failing, works("webgpu")]);
  assertEquals([backend.name, notTaken], ["webgpu", ["it is software", "no memory"]]);
  await assertRejects(
    () => startFirst([{ name: "cudnn" }, ...failing]),
    BackendError,
    "No backend can start: cudnn is not part of this version; it is software; no memory",
  );
});

Deno.test("startFirst() does not go past an error that is none of a backend", async () => {
  const broken: Candidate = { name: "cpu", start: () => Promise.reject(new TypeError("a defect")) };
  await assertRejects(() => startFirst([broken, works("webgpu")]), TypeError, "a defect");
});
