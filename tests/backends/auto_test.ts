/** Tests of `auto`: which candidate it takes, and what it says of the others. */

import { type Candidate, startFirst } from "../../backends/auto.ts";
import { type Backend, BackendError, type BackendName } from "../../backends/contract.ts";
import { assertEquals, assertRejects } from "../assert.ts";

function works(name: BackendName): Candidate {
  const backend: Backend = {
    name,
    tfjsName: name,
    description: name,
    memory: () => ({ current: 0, peak: 0, reserved: 0 }),
    resetPeak: () => {},
    close: () => {},
  };
  return () => Promise.resolve(backend);
}

function fails(name: BackendName, message: string): Candidate {
  return () => Promise.reject(new BackendError(name, message));
}

Deno.test("startFirst() takes the first that starts, and says why not those before it", async () => {
  const { backend, notTaken } = await startFirst([
    fails("cudnn", "no card"),
    fails("webgpu", "no adapter"),
    works("cpu"),
    works("webgpu"),
  ]);
  assertEquals(backend.name, "cpu");
  assertEquals(notTaken, ["no card", "no adapter"]);
  const second = await startFirst([works("cudnn"), works("webgpu")]);
  assertEquals([second.backend.name, second.notTaken], ["cudnn", []]);
});

Deno.test("startFirst() goes on to the last, and gives every reason when all fail", async () => {
  const failing = [fails("webgpu", "it is software"), fails("cpu", "no memory")];
  const { backend, notTaken } = await startFirst([...failing, works("webgpu")]);
  assertEquals([backend.name, notTaken], ["webgpu", ["it is software", "no memory"]]);
  await assertRejects(
    () => startFirst([fails("cudnn", "no card"), ...failing]),
    BackendError,
    "No backend can start: no card; it is software; no memory",
  );
});

Deno.test("startFirst() does not go past an error that is none of a backend", async () => {
  const broken: Candidate = () => Promise.reject(new TypeError("a defect"));
  await assertRejects(() => startFirst([broken, works("webgpu")]), TypeError, "a defect");
});
