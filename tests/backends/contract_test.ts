/** Tests of the backends' errors. */

import { assert, assertEquals } from "../assert.ts";
import { BackendError, batchToTry, OutOfMemoryError } from "../../backends/contract.ts";

const FULL = { bytesAsked: 300, bytesInUse: 900, limit: 1000 };

Deno.test("OutOfMemoryError says the bytes asked, in use and allowed", () => {
  const error = new OutOfMemoryError("cpu", FULL);
  assert(error instanceof BackendError);
  assertEquals(
    error.message,
    "Cannot allocate 300 bytes on cpu: 900 of 1000 bytes are in use",
  );
  assertEquals([error.name, error.backend], ["OutOfMemoryError", "cpu"]);
  assertEquals([error.bytesAsked, error.bytesInUse], [300, 900]);
});

Deno.test("BackendError keeps its cause", () => {
  const cause = new Error("driver");
  const error = new BackendError("cudnn", "Cannot start", { cause });
  assertEquals([error.name, error.backend, error.cause], ["BackendError", "cudnn", cause]);
});

Deno.test("batchToTry() is below the batch that ran out, and at least 1", () => {
  const error = new OutOfMemoryError("cpu", FULL);
  for (const batch of [1, 2, 3, 16, 96, 1000]) {
    const next = batchToTry(error, batch);
    assert(Number.isInteger(next) && next >= 1, `${next}`);
    if (batch > 1) assert(next < batch, `${next} of ${batch}`);
  }
});

Deno.test("batchToTry() falls with what was asked beyond what was in use", () => {
  const asked = (bytesAsked: number) =>
    batchToTry(new OutOfMemoryError("cpu", { ...FULL, bytesAsked }), 96);
  assert(asked(10) > asked(500));
  assert(asked(500) > asked(5000));
});
