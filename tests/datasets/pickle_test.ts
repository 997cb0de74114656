/** Tests of the pickle reader: what official files hold, and that all else is refused. */

import { CIFAR_TABLES } from "../../datasets/cifar_tables.ts";
import { md5Of } from "../../datasets/digest.ts";
import { readPickle } from "../../datasets/pickle.ts";
import { PickleError } from "../../nn/pickle_dialect.ts";
import { assertEquals, assertThrows } from "../assert.ts";
import { pickleDictionary } from "./python_pickle.ts";

const COARSE = ("aquatic_mammals fish flowers food_containers fruit_and_vegetables " +
  "household_electrical_devices household_furniture insects large_carnivores " +
  "large_man-made_outdoor_things large_natural_outdoor_scenes large_omnivores_and_herbivores " +
  "medium_mammals non-insect_invertebrates people reptiles small_mammals trees vehicles_1 " +
  "vehicles_2").split(" ");

/** A pickle of protocol 2 from its opcodes, each a character or byte. */
function program(...codes: (string | number)[]): Uint8Array {
  const bytes = codes.map((code) =>
    typeof code === "number" ? [code] : Array.from(new TextEncoder().encode(code))
  );
  return Uint8Array.from([0x80, 2, ...bytes.flat(), 0x2e]);
}

Deno.test("readPickle() reads the official CIFAR-10 batches.meta", () => {
  const entries = {
    num_cases_per_batch: 10000,
    label_names: CIFAR_TABLES.cifar10.classes,
    num_vis: 3072,
  };
  const bytes = pickleDictionary(entries);
  assertEquals(md5Of(bytes), "5ff9c542aee3614f3951f8cda6e48888");
  assertEquals(readPickle(bytes), new Map<string, unknown>(Object.entries(entries)) as never);
});

Deno.test("readPickle() reads the official CIFAR-100 meta", () => {
  const entries = {
    fine_label_names: CIFAR_TABLES.cifar100.classes,
    coarse_label_names: COARSE,
  };
  const bytes = pickleDictionary(entries);
  assertEquals(md5Of(bytes), "7973b15100ade9c7d40fb424638fde48");
  assertEquals(readPickle(bytes), new Map<string, unknown>(Object.entries(entries)) as never);
});

Deno.test("readPickle() reads arrays in either order of memory", () => {
  const data = Uint8Array.of(1, 2, 3, 4, 5, 6), expected = { shape: [2, 3], data };
  const rowMajor = pickleDictionary({ data: { rows: 2, columns: 3, data } });
  assertEquals(readPickle(rowMajor), new Map([["data", expected]]));
  const columnMajor = pickleDictionary({
    data: { rows: 2, columns: 3, data: Uint8Array.of(1, 4, 2, 5, 3, 6), columnMajor: true },
  });
  assertEquals(readPickle(columnMajor), new Map([["data", expected]]));
});

Deno.test("readPickle() reads lists longer than a batch of appends", () => {
  const labels = Array.from({ length: 2500 }, (_, i) => i % 10);
  assertEquals(readPickle(pickleDictionary({ labels })), new Map([["labels", labels]]));
});

Deno.test("readPickle() reads what is stored and recalled", () => {
  assertEquals(readPickle(program("]q", 7, "K", 1, "ah", 7)), [1]);
  assertEquals(readPickle(program("}U", 1, "k", "Ns")), new Map([["k", null]]));
});

Deno.test("readPickle() throws when the pickle ends early, at any byte", () => {
  const data = { rows: 2, columns: 3, data: new Uint8Array(6) };
  const whole = pickleDictionary({ data, labels: [3, 300], batch_label: "training batch 1 of 5" });
  for (let length = 0; length < whole.length; length++) {
    assertThrows(() => readPickle(whole.subarray(0, length)), PickleError);
  }
});

Deno.test("readPickle() throws instead of calling a function", () => {
  const command = program("cos\nsystem\n(U", 4, "truetR");
  assertThrows(() => readPickle(command), PickleError, "it names os system");
  const builtins = program("c__builtin__\neval\nU", 1, "1", 0x85, "R");
  assertThrows(() => readPickle(builtins), PickleError, "it names __builtin__ eval");
  const misused = program("cnumpy.core.multiarray\n_reconstruct\nU", 1, "1", 0x85, "R");
  assertThrows(() => readPickle(misused), PickleError, "it calls numpy.core.multiarray");
});

Deno.test("readPickle() throws when an opcode is not a data set's", () => {
  assertThrows(() => readPickle(program("i")), PickleError, "byte 2 is opcode 0x69");
  const protocol0 = new TextEncoder().encode("(dp1\n.");
  assertThrows(() => readPickle(protocol0), PickleError, "it is not a pickle of protocol 2");
});

Deno.test("readPickle() throws when the stack does not fit the opcode", () => {
  const cases: [Uint8Array, string][] = [
    [program(), "its stack is empty"],
    [program("t"), "it has no mark"],
    [program("h", 3), "it recalls what it never stored"],
    [program("K", 1, "K", 2, "a"), "it appends to what is not a list"],
    [program("]K", 1, "K", 2, "s"), "it sets items of what is not a dictionary"],
    [program("}K", 1, "K", 2, "s"), "a key that is not a string"],
    [program("K", 1, "Nb"), "it builds what is not an array"],
    [program("]q", 1, "h", 1, "a"), "it nests deeper"],
    [program("cnumpy\ndtype\n"), "it holds an unfinished array"],
  ];
  for (const [bytes, message] of cases) {
    assertThrows(() => readPickle(bytes), PickleError, message);
  }
});

Deno.test("readPickle() throws when an array has another type or size", () => {
  const good = pickleDictionary({ data: { rows: 1, columns: 2, data: new Uint8Array(2) } });
  const text = String.fromCharCode(...good);
  const changed = (from: string, to: string) =>
    Uint8Array.from(text.replace(from, to), (character) => character.charCodeAt(0));
  assertThrows(() => readPickle(changed("u1", "f4")), PickleError, "an array is not of uint8");
  assertThrows(
    () => readPickle(changed("K\x01K\x01K\x02", "K\x01K\x03K\x02")),
    PickleError,
    "an array of shape [3,2] does not hold 6 bytes",
  );
});
