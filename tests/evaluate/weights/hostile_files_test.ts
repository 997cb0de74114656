/**
 * Tests of files that are damaged or made to harm: a sentence for each, nothing run, and memory that the
 * file's size bounds.
 */

import { Uint8ArrayReader, Uint8ArrayWriter, ZipWriter } from "@zip.js/zip.js";
import { decodeTorchFile } from "../../../evaluate/weights/torch_file.ts";
import { LEGACY_START, LEGACY_VERSION } from "../../../evaluate/weights/torch_legacy.ts";
import { PickleWriter } from "../../../evaluate/weights/torch_pickle_writer.ts";
import { printableReason, WeightsError } from "../../../evaluate/weights/weights_error.ts";
import { encodeTorchFile } from "../../../evaluate/weights/write_torch_file.ts";
import { PickleError } from "../../../nn/pickle_dialect.ts";
import type { HostTensor } from "../../../nn/safetensors.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";

const TENSORS = new Map<string, HostTensor>([
  ["a.weight", { shape: [3, 2], data: Float32Array.of(1, 2, 3, 4, 5, 6) }],
  ["a.num_batches_tracked", { shape: [], data: BigInt64Array.of(7n) }],
]);

/** The tensors of a file, or the reason why there are none. */
async function outcomeOf(
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Map<string, HostTensor> | string> {
  try {
    return await decodeTorchFile(bytes);
  } catch (error) {
    assert(
      error instanceof WeightsError || error instanceof PickleError,
      `${(error as Error).stack}`,
    );
    return error.message;
  }
}

for (const format of ["zip", "legacy"] as const) {
  Deno.test(`decodeTorchFile() throws when a file ends early, at any byte, ${format}`, async () => {
    const whole = await encodeTorchFile(TENSORS, format);
    for (let length = 15; length < whole.length; length++) {
      const outcome = await outcomeOf(whole.slice(0, length));
      assert(typeof outcome === "string", `${length} of ${whole.length} bytes are read`);
    }
  });

  Deno.test(`decodeTorchFile() reads or throws when a byte is another, ${format}`, async () => {
    const whole = await encodeTorchFile(TENSORS, format);
    let refused = 0;
    for (let at = 15; at < whole.length; at++) {
      const damaged = whole.slice();
      damaged[at] ^= 1 + at % 255;
      const outcome = await outcomeOf(damaged);
      refused += Number(typeof outcome === "string");
      // The legacy format has no checksums.
      if (format === "zip" && typeof outcome !== "string") assertEquals([...outcome], [...TENSORS]);
    }
    assert(refused > whole.length / 4, `${refused} of ${whole.length} are refused`);
  });
}

Deno.test("decodeTorchFile() throws when the bytes after the first are random", async () => {
  for (let seed = 1; seed <= 200; seed++) {
    let state = seed;
    const bytes = Uint8Array.from({ length: 400 }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state >>> 24;
    });
    bytes.set(seed % 2 === 0 ? [0x50, 0x4b, 3, 4] : LEGACY_START);
    assert(typeof await outcomeOf(bytes) === "string");
  }
});

/** Writes the object of a file. */
type Make = (writer: PickleWriter) => PickleWriter;

/** A legacy file of the object that `make` pickles, with a storage "0" of 6 floats. */
function legacyFile(make: Make, { hasStorage = true } = {}): Uint8Array<ArrayBuffer> {
  const keys = new PickleWriter().opcode("]");
  if (hasStorage) keys.text("0").opcode("a");
  const parts = [
    LEGACY_START,
    new PickleWriter().integer(LEGACY_VERSION).finish(),
    new PickleWriter().opcode("}").finish(),
    make(new PickleWriter()).finish(),
    keys.finish(),
    new Uint8Array(BigInt64Array.of(6n).buffer),
    new Uint8Array(24),
  ];
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** Pickles `{w: tensor}` with a tensor of a storage of 6 floats. */
function tensor(
  { offset = 0, shape, strides, size = 6 }: {
    offset?: number;
    shape: number[];
    strides: number[];
    size?: number;
  },
): Make {
  return (writer) =>
    writer.opcode("}").text("w").global("torch._utils", "_rebuild_tensor_v2").opcode("(")
      .opcode("(").text("storage").global("torch", "FloatStorage").text("0").text("cpu")
      .integer(size).opcode("t").opcode("Q").integer(offset).integers(shape).integers(strides)
      .opcode("t").opcode("R").opcode("s");
}

Deno.test("decodeTorchFile() reads the legacy file that the cases below change", async () => {
  const file = legacyFile(tensor({ shape: [2, 3], strides: [3, 1] }));
  assertEquals([...await decodeTorchFile(file)], [["w", {
    shape: [2, 3],
    data: new Float32Array(6),
  }]]);
});

Deno.test("decodeTorchFile() throws when tensors leave their storage or fill the memory", async () => {
  const fit = "does not fit its storage of 6 numbers";
  const cases: [Make, string][] = [
    [tensor({ shape: [7], strides: [1] }), fit],
    [tensor({ shape: [2], strides: [6] }), fit],
    [tensor({ offset: 6, shape: [], strides: [] }), fit],
    [tensor({ offset: -1, shape: [2], strides: [1] }), fit],
    [tensor({ shape: [-2, -3], strides: [1, 1] }), fit],
    [tensor({ offset: 5, shape: [2], strides: [-1] }), fit],
    [tensor({ shape: [2, 3], strides: [1] }), fit],
    [tensor({ shape: [2 ** 52, 2 ** 52], strides: [0, 0] }), fit],
    [tensor({ shape: [2 ** 40], strides: [0] }), "numbers, more than its"],
    [tensor({ shape: new Array(17).fill(1), strides: [] }), "are not a tuple of integers"],
    [tensor({ shape: [2], strides: [1], size: 2 ** 40 }), "it is truncated in storage 0"],
    [tensor({ shape: [], strides: [], size: -1 }), "storage 0 has no size"],
    [tensor({ shape: [2], strides: [1], size: 5 }), "and its tensors want 5"],
  ];
  for (const [make, reason] of cases) {
    await assertRejects(() => decodeTorchFile(legacyFile(make)), Error, reason);
  }
});

Deno.test("decodeTorchFile() throws and names what a pickle would have called", async () => {
  const named = (module: string, name: string): Make => (writer) =>
    writer.global(module, name).opcode("(").text("touch .cache/harm").opcode("t").opcode("R");
  const cases: [Make, string][] = [
    [named("os", "system"), "it names os system, which no state dict does"],
    [named("posix", "system"), "it names posix system"],
    [named("builtins", "eval"), "it names builtins eval"],
    [named("__main__", "Network"), "it names __main__ Network"],
    [named("torch", "FloatStorage"), "it calls torch FloatStorage in a way no state dict does"],
    [named("torch._utils", "_rebuild_tensor_v2"), "a tensor has no storage"],
    [named("torch._utils", "_rebuild_parameter"), "a parameter is not a tensor"],
    [named("collections", "OrderedDict"), "an OrderedDict is not made of pairs"],
    [(writer) => writer.text("x").opcode("Q"), "it refers to what is not a storage"],
    [(writer) => writer.text("x").opcode("N").opcode("b"), "gives a state to what is not a dict"],
  ];
  for (const [make, reason] of cases) {
    await assertRejects(() => decodeTorchFile(legacyFile(make)), PickleError, reason);
  }
});

Deno.test("decodeTorchFile() throws when a file holds no state dict, however it nests", async () => {
  const nest = (writer: PickleWriter, depth: number): PickleWriter => {
    for (let i = 0; i < depth; i++) writer.opcode("}").text("state_dict");
    writer.opcode("}");
    for (let i = 0; i < depth; i++) writer.opcode("s");
    return writer;
  };
  const cases: [Make, string][] = [
    [(writer) => writer.integer(3), "it does not hold a dictionary of tensors"],
    [(writer) => writer.opcode("}"), "it holds no state dict; its keys are none"],
    [(writer) => writer.opcode("}").text("epoch").integer(3).opcode("s"), "its keys are epoch"],
    [(writer) => nest(writer, 50_000), "it holds no state dict; its keys are state_dict"],
    // A dictionary that is its own state dict.
    [
      (writer) =>
        writer.opcode("}").opcode("q", [1]).text("state_dict").opcode("h", [1]).opcode("s"),
      "it holds no state dict; its keys are state_dict",
    ],
  ];
  for (const [make, reason] of cases) {
    await assertRejects(
      () => decodeTorchFile(legacyFile(make, { hasStorage: false })),
      WeightsError,
      reason,
    );
  }
});

/** A zip archive of these entries. */
async function zipOf(
  entries: [name: string, bytes: Uint8Array<ArrayBuffer>][],
  level = 0,
): Promise<Uint8Array<ArrayBuffer>> {
  const writer = new ZipWriter(new Uint8ArrayWriter(), { level, useWebWorkers: false });
  for (const [name, bytes] of entries) await writer.add(name, new Uint8ArrayReader(bytes));
  return await writer.close();
}

Deno.test("decodeTorchFile() throws when an archive is not one of PyTorch's, or unpacks without end", async () => {
  const pickle = tensor({ shape: [6], strides: [1] })(new PickleWriter()).finish();
  const zeros = new Uint8Array(2 ** 25);
  const cases: [Uint8Array<ArrayBuffer>, string][] = [
    [await zipOf([["a/readme.txt", pickle]]), "it is a zip archive without data.pkl"],
    [await zipOf([["a/data.pkl", pickle]]), "its storage 0 is missing"],
    [await zipOf([["a/data.pkl", pickle], ["a/data/0", new Uint8Array(23)]]), "has 23 bytes"],
    [await zipOf([["a/data.pkl", zeros]], 9), "its data.pkl takes 33554432 bytes"],
    [await zipOf([["a/data.pkl", pickle], ["a/data/0", new Uint8Array(24)]], 9), "is compressed"],
  ];
  for (const [bytes, reason] of cases) {
    await assertRejects(() => decodeTorchFile(bytes), WeightsError, reason);
  }
});

Deno.test("decodeTorchFile() throws when entries of an archive overlap", async () => {
  const bytes = await encodeTorchFile(
    new Map(["a", "b"].map((name) => [name, { shape: [4], data: new Float32Array(4) }])),
  );
  const view = new DataView(bytes.buffer), offsets: number[] = [];
  for (let at = 0; at + 46 < bytes.length; at++) {
    if (view.getUint32(at, true) === 0x02014b50) offsets.push(at + 42); // central directory
  }
  // The entries are data.pkl, byteorder, the two storages, and version: b's bytes are said to be a's.
  view.setUint32(offsets[3], view.getUint32(offsets[2], true), true);
  await assertRejects(() => decodeTorchFile(bytes), WeightsError, "truncated or damaged");
});

Deno.test("printableReason() is short and on one line when names are not", () => {
  assertEquals(printableReason("it names a\n\tb"), "it names a b");
  assertEquals(printableReason("x".repeat(2 ** 20)).length, 403);
});
