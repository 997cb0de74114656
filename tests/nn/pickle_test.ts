/** Tests of the pickle machine: the values of each opcode, and what a dialect does not allow. */

import { OPCODE_LIMIT, runPickle } from "../../nn/pickle.ts";
import { type PickleDialect, PickleError, PickleGlobal } from "../../nn/pickle_dialect.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";

/** An object of the dialect below. */
interface Thing {
  made: unknown;
}

const DIALECT: PickleDialect<Thing> = {
  subject: "test",
  globals: { "m make": ([made]) => ({ made }), "m name": undefined },
  build: (target, state) => Object.assign(target as Thing, { made: state }),
  persistent: (id) => ({ made: id }),
};

/** A pickle of protocol 2 from its opcodes, each characters or a byte. */
function program(...codes: (string | number)[]): Uint8Array {
  const bytes = codes.map((code) =>
    typeof code === "number" ? [code] : Array.from(new TextEncoder().encode(code))
  );
  return Uint8Array.from([0x80, 2, ...bytes.flat(), 0x2e]);
}

function valueOf(...codes: (string | number)[]): unknown {
  return runPickle(program(...codes), { dialect: DIALECT }).value;
}

Deno.test("runPickle() reads numbers of every width and sign", () => {
  assertEquals(valueOf("K", 200), 200);
  assertEquals(valueOf("M", 1, 2), 513);
  assertEquals(valueOf("J", 0xfe, 0xff, 0xff, 0xff), -2);
  assertEquals(valueOf("I140234766419216\n"), 140234766419216);
  assertEquals(valueOf(0x8a, 0), 0);
  assertEquals(valueOf(0x8a, 2, 0x00, 0x80), -32768);
  assertEquals(valueOf(0x8a, 7, 0, 0, 0, 0, 0, 0, 0x10), 2 ** 52);
  assertEquals(valueOf(0x8a, 7, 0, 0, 0, 0, 0, 0, 0x20), 9007199254740992n);
  assertEquals(valueOf("G", 0x3f, 0xb9, 0x99, 0x99, 0x99, 0x99, 0x99, 0x9a), 0.1);
});

Deno.test("runPickle() reads the strings of Python 2 as bytes and those of Python 3 as text", () => {
  assertEquals(valueOf("U", 2, "ab"), new TextEncoder().encode("ab"));
  assertEquals(valueOf("X", 3, 0, 0, 0, "aé"), "aé");
  assertEquals(
    valueOf("}(U", 1, "k", "K", 1, "X", 1, 0, 0, 0, "l", "K", 2, "K", 7, "Nu"),
    new Map<unknown, unknown>([["k", 1], ["l", 2], [7, null]]),
  );
});

Deno.test("runPickle() gives names, calls, states and persistent ids to the dialect", () => {
  assert(valueOf("cm\nname\n") instanceof PickleGlobal);
  assertEquals(valueOf("cm\nmake\nK", 5, 0x85, "R"), { made: 5 });
  assertEquals(valueOf("cm\nmake\nK", 5, 0x85, "RK", 6, "b"), { made: 6 });
  assertEquals(valueOf("K", 9, "Q"), { made: 9 });
});

Deno.test("runPickle() reads one pickle after the other", () => {
  const first = program("K", 1), both = new Uint8Array([...first, ...program("K", 2)]);
  assertEquals(runPickle(both, { dialect: DIALECT }), { value: 1, end: first.length });
  assertEquals(runPickle(both, { dialect: DIALECT, start: first.length }).value, 2);
});

Deno.test("runPickle() throws when a pickle holds what the dialect does not", () => {
  const cases: [(string | number)[], string][] = [
    [["cos\nsystem\n"], "it names os system, which no test does"],
    [["cm\nname\n)R"], "it calls m name in a way no test does"],
    [["cm\nmake\nNR"], "it calls m make in a way no test does"],
    [["}NNs"], "a dictionary has a key that is neither a string nor a number"],
    [["I1e5\n"], "an integer that is none"],
    [["I99999999999999999999\n"], "an integer that is none"],
    [[0x93], "byte 2 is opcode 0x93, which no test has"],
  ];
  for (const [codes, message] of cases) {
    assertThrows(() => valueOf(...codes), PickleError, message);
  }
});

Deno.test("runPickle() throws when a pickle has more opcodes than the limit", () => {
  const bytes = new Uint8Array(OPCODE_LIMIT + 3).fill(0x4e);
  bytes.set([0x80, 2]);
  assertThrows(() => runPickle(bytes, { dialect: DIALECT }), PickleError, "opcodes");
});
