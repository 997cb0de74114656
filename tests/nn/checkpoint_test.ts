/** Tests of checkpoints: exact round trips, damage of every kind, and every moment of a replacement. */

import {
  type Checkpoint,
  CHECKPOINT_FILE,
  DAMAGED_CHECKPOINT_FILE,
  decodeCheckpoint,
  encodeCheckpoint,
  PREVIOUS_CHECKPOINT_FILE,
  readCheckpoint,
  writeCheckpoint,
} from "../../nn/checkpoint.ts";
import { RunError } from "../../nn/run_files.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";
import { permitted } from "../permitted.ts";

const ignore = !permitted({ read: ["/tmp"], write: ["/tmp"] });

function checkpoint(step: number): Checkpoint {
  return {
    state: { step, key: [1, 4294967295], text: 'a "quote"' },
    tensors: new Map([
      ["stem.0.weight", { shape: [2, 2], data: new Float32Array([step, -0, 1e-40, 3]) }],
      ["stem.1.num_batches_tracked", { shape: [], data: new BigInt64Array([9n]) }],
    ]),
  };
}

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = Deno.makeTempDirSync({ dir: "/tmp", prefix: "pdarts-checkpoint-" });
  try {
    await body(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

function names(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

Deno.test("decodeCheckpoint() returns what encodeCheckpoint() was given", async () => {
  const { state, tensors } = await decodeCheckpoint(await encodeCheckpoint(checkpoint(4)));
  assertEquals(state, checkpoint(4).state);
  assertEquals(Object.fromEntries(tensors), Object.fromEntries(checkpoint(4).tensors));
});

Deno.test("decodeCheckpoint() refuses a file with any one byte changed", async () => {
  const bytes = await encodeCheckpoint(checkpoint(4));
  for (let place = 0; place < bytes.length; place++) {
    const damaged = bytes.slice();
    damaged[place] ^= 0x04;
    await assertRejects(() => decodeCheckpoint(damaged), Error);
  }
});

Deno.test({
  name: "readCheckpoint() returns undefined for a folder without checkpoints",
  ignore,
  fn: () => inFolder(async (folder) => assertEquals(await readCheckpoint(folder), undefined)),
});

Deno.test({
  name: "writeCheckpoint() keeps the checkpoint before, and no temporary file",
  ignore,
  fn: () =>
    inFolder(async (folder) => {
      for (const step of [1, 2, 3]) await writeCheckpoint(folder, checkpoint(step));
      assertEquals(names(folder), [PREVIOUS_CHECKPOINT_FILE, CHECKPOINT_FILE]);
      const previous = Deno.readFileSync(`${folder}/${PREVIOUS_CHECKPOINT_FILE}`);
      assertEquals((await decodeCheckpoint(previous)).state, checkpoint(2).state);
      const found = await readCheckpoint(folder);
      assertEquals(found?.checkpoint.state, checkpoint(3).state);
      assertEquals(found?.notes, []);
    }),
});

Deno.test({
  name: "readCheckpoint() falls back, says so and sets the damaged one aside",
  ignore,
  fn: () =>
    inFolder(async (folder) => {
      for (const step of [1, 2]) await writeCheckpoint(folder, checkpoint(step));
      Deno.truncateSync(`${folder}/${CHECKPOINT_FILE}`, 100);
      const found = await readCheckpoint(folder);
      assertEquals(found?.checkpoint.state, checkpoint(1).state);
      assert(found?.notes[0].startsWith("checkpoint.safetensors is damaged (Cannot read"));
      assertEquals(names(folder), [DAMAGED_CHECKPOINT_FILE, PREVIOUS_CHECKPOINT_FILE]);
      await writeCheckpoint(folder, checkpoint(2));
      assertEquals((await readCheckpoint(folder))?.checkpoint.state, checkpoint(2).state);
    }),
});

Deno.test({
  name: "readCheckpoint() finds the former checkpoint at every moment of a replacement",
  ignore,
  fn: () =>
    inFolder(async (folder) => {
      await writeCheckpoint(folder, checkpoint(1));
      Deno.writeFileSync(`${folder}/${CHECKPOINT_FILE}.tmp`, new Uint8Array(50));
      assertEquals((await readCheckpoint(folder))?.checkpoint.state, checkpoint(1).state);
      Deno.renameSync(`${folder}/${CHECKPOINT_FILE}`, `${folder}/${PREVIOUS_CHECKPOINT_FILE}`);
      const found = await readCheckpoint(folder);
      assertEquals([found?.checkpoint.state, found?.notes], [checkpoint(1).state, []]);
    }),
});

Deno.test({
  name: "readCheckpoint() refuses two damaged checkpoints in one line and deletes nothing",
  ignore,
  fn: () =>
    inFolder(async (folder) => {
      for (const step of [1, 2]) await writeCheckpoint(folder, checkpoint(step));
      for (const name of names(folder)) Deno.truncateSync(`${folder}/${name}`, 10);
      const error = await assertRejects(() => readCheckpoint(folder), RunError, "Cannot resume");
      assert(!error.message.includes("\n"));
      assertEquals(names(folder), [PREVIOUS_CHECKPOINT_FILE, CHECKPOINT_FILE]);
    }),
});
