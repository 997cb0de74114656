/**
 * Tests of memory that runs out at any allocation of a kernel or a training step: nothing is left
 * behind, nothing has changed, and a smaller call works.
 */

import * as tf from "@tensorflow/tfjs-core";
import type { CpuBackend } from "../../../backends/cpu/backend.ts";
import { startCpuBackend } from "../../../backends/cpu/start.ts";
import { type Backend, OutOfMemoryError } from "../../../backends/contract.ts";
import { branches } from "../../../backends/ops/branches.ts";
import { lossGradients } from "../../../nn/gradients.ts";
import { type StageState, StageTrainer } from "../../../search/stage_trainer.ts";
import { assert, assertEquals, assertThrows } from "../../assert.ts";
import { permitted } from "../../permitted.ts";
import { tinyBatch, tinySettings } from "../../search/tiny_network.ts";

const MEGABYTE = 1024 * 1024;

function test(name: string, body: (backend: Backend) => void | Promise<void>): void {
  Deno.test({
    name,
    ignore: !permitted({ read: ["."], write: [".cache"], env: ["CI"] }),
    fn: async () => {
      const backend = await startCpuBackend({ threads: 2, memoryLimit: 64 * MEGABYTE });
      try {
        await body(backend);
      } finally {
        backend.close();
      }
    },
  });
}

/** Runs the body with an arena whose allocation number `failing`, from 0, and all after it fail. */
function withFailingAllocation(failing: number, body: () => void): { allocations: number } {
  const { arena } = tf.backend() as CpuBackend, allocate = arena.allocate.bind(arena);
  let allocations = 0;
  arena.allocate = (bytes) => {
    if (allocations++ < failing) return allocate(bytes);
    throw new OutOfMemoryError("cpu", { bytesAsked: bytes, bytesInUse: 0, limit: 0 });
  };
  try {
    body();
  } finally {
    arena.allocate = allocate;
  }
  return { allocations };
}

/** What may not change when a call fails. */
function account(backend: Backend) {
  const { numTensors, numDataBuffers, numBytes } = tf.memory();
  return {
    bytes: backend.memory().current,
    numTensors,
    numDataBuffers,
    numBytes,
    dataIds: tf.backend().numDataIds(),
  };
}

/** Fails every allocation of `call` in turn, and asserts that the account stays as it is. */
function failsCleanly(backend: Backend, call: () => void): void {
  call(); // scratch of the threads stays
  const before = account(backend);
  const { allocations } = withFailingAllocation(Infinity, call);
  assertEquals(account(backend), before, "a call that succeeds");
  assert(allocations > 0);
  for (let failing = 0; failing < allocations; failing++) {
    assertThrows(() => withFailingAllocation(failing, call), OutOfMemoryError);
    assertEquals(account(backend), before, `allocation ${failing} of ${allocations}`);
  }
  call();
  assertEquals(account(backend), before);
}

test("a kernel of tfjs that runs out of memory leaves nothing behind", (backend) => {
  const x = tf.randomNormal<tf.Rank.R4>([2, 6, 6, 3], 0, 1, "float32", 1);
  const filter = tf.randomNormal<tf.Rank.R4>([3, 3, 3, 4], 0, 1, "float32", 2);
  const calls: Record<string, () => tf.Tensor | tf.Tensor[]> = {
    softmax: () => tf.softmax(x), // seven kernels, with a reshape of the input itself
    conv2d: () => tf.conv2d(x, filter, 1, "same"),
    mean: () => tf.mean(x, [1, 2]),
    matMul: () => tf.matMul(tf.reshape(x, [72, 3]), tf.reshape(filter, [3, 36])),
    concat: () => tf.concat([x, x], 0),
    split: () => tf.split(x, 2, 1),
    gather: () => tf.gather(x, [1, 0]),
    complex: () => tf.fft(tf.complex(tf.reshape(x, [72, 3]), tf.reshape(x, [72, 3]))),
    cast: () => tf.cast(x, "int32"),
  };
  for (const call of Object.values(calls)) {
    failsCleanly(backend, () => void tf.tidy(() => void call()));
  }
  tf.dispose([x, filter]);
});

test("a fused kernel that runs out of memory leaves nothing behind", (backend) => {
  const x = tf.randomNormal<tf.Rank.R4>([2, 8, 8, 5], 0, 1, "float32", 1);
  const [depthwise, pointwise] = [[3, 3, 5, 1], [1, 1, 5, 6]].map((shape) =>
    tf.randomNormal<tf.Rank.R4>(shape as [number, number, number, number], 0, 1, "float32", 2)
  );
  const variables = [x, depthwise, pointwise].map((tensor) => tf.variable(tensor));
  const [input, first, second] = variables as tf.Variable<tf.Rank.R4>[];
  failsCleanly(backend, () => {
    const { loss, gradients } = lossGradients(variables, () => {
      const outputs = branches(input, [
        {
          kind: "separable",
          stride: 1,
          dilation: 1,
          depthwise: first,
          pointwise: second,
          statistics: true,
        },
        { kind: "avg_pool", stride: 1, statistics: true },
        { kind: "identity" },
      ]);
      return tf.addN(outputs.map(({ y }) => tf.sum(y))) as tf.Scalar;
    });
    tf.dispose([loss, gradients]);
  });
  tf.dispose(variables);
  tf.dispose([x, depthwise, pointwise]);
});

/** Asserts that two states hold the same bits. */
function sameState(state: StageState, expected: StageState, message: string): void {
  assertEquals(state.counters, expected.counters, message);
  for (const [name, { data }] of expected.tensors) {
    assertEquals(state.tensors.get(name)!.data, data, `${message}: ${name}`);
  }
}

for (const kind of ["weightStep", "alphaStep"] as const) {
  test(`${kind}() that runs out of memory changes nothing, wherever it does`, async (backend) => {
    const trainer = new StageTrainer(tinySettings());
    const step = () => trainer[kind](tinyBatch(1, 2));
    step();
    const state = await trainer.state();
    const { allocations } = withFailingAllocation(Infinity, step);
    trainer.restore(state);
    const before = account(backend);
    // All of the last ones, where results are assigned, and a selection of those before.
    const late = allocations - 40;
    for (let failing = 0; failing < allocations; failing += failing < late ? 97 : 1) {
      assertThrows(() => withFailingAllocation(failing, step), OutOfMemoryError);
      const message = `allocation ${failing} of ${allocations}`;
      assertEquals(account(backend), before, message);
      sameState(await trainer.state(), state, message);
    }
    step();
    trainer.dispose();
  });
}
