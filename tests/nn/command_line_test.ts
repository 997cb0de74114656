/** Tests of the options table: values and ranges, and one-line usage errors with suggestions. */

import {
  choice,
  type CommandSpec,
  decimal,
  integer,
  list,
  listenAddress,
  parseCommandLine,
  text,
  UsageError,
} from "../../nn/command_line.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";

const SPEC: CommandSpec = {
  command: "deno task paint",
  summary: "Paints a fence.",
  options: [
    { name: "coats", type: integer({ min: 1, max: 9 }), help: "coats", group: "Paint:" },
    {
      name: "gloss",
      type: decimal({ min: 0, above: true, max: 1, below: true }),
      help: "gloss",
      group: "Paint:",
    },
    { name: "colour", type: choice(["red", "green", "blue"]), help: "colour", group: "Paint:" },
    {
      name: "boards",
      type: list(integer({ min: 0, even: true }), 3),
      help: "boards",
      group: "Fence:",
    },
    { name: "note", type: text(), help: "a note", group: "Fence:" },
  ],
  epilogue: "Paint dries.",
};

function values(...args: string[]): unknown {
  const parsed = parseCommandLine(SPEC, args);
  return "values" in parsed ? parsed.values : parsed.help;
}

Deno.test("parseCommandLine() reads values in both spellings, the last one counting", () => {
  assertEquals(values(), {});
  assertEquals(values("--coats=2", "--gloss", "5e-1", "--coats", "3", "--note=a b"), {
    coats: 3,
    gloss: 0.5,
    note: "a b",
  });
  assertEquals(values("--boards=0, 2,4", "--colour=red"), { boards: [0, 2, 4], colour: "red" });
});

Deno.test("parseCommandLine() refuses a bad command line in one line", () => {
  const cases: [string[], string][] = [
    [["--coat=1"], 'unknown option --coat (did you mean "--coats"?)'],
    [["--coats"], "option '--coats <N>' argument missing"],
    [["--coats=0"], "Cannot use --coats=0: want an integer from 1 to 9"],
    [["--coats=1.5"], "Cannot use --coats=1.5: want an integer"],
    [["--coats="], "Cannot use --coats=: want an integer"],
    [["--coats", "-1"], "Cannot use --coats=-1: want an integer"],
    [["--gloss=1"], "Cannot use --gloss=1: want a number above 0 to below 1"],
    [["--gloss=0"], "Cannot use --gloss=0: want a number above 0"],
    [["--gloss=NaN"], "Cannot use --gloss=NaN"],
    [["--gloss=0x1"], "Cannot use --gloss=0x1"],
    [["--colour=gren"], 'want red, green or blue (did you mean "green"?)'],
    [["--boards=2,4"], "want 3 values, each"],
    [["--boards=2,4,5"], "each an even integer from 0"],
    [["--note="], "Cannot use --note=: want a text"],
    [["stray"], "too many arguments"],
  ];
  for (const [args, message] of cases) {
    const error = assertThrows(() => values(...args), UsageError, message);
    assert(!error.message.includes("\n"), error.message);
  }
});

Deno.test("parseCommandLine() returns help of 80 columns with types, ranges and groups", () => {
  const help = values("--coats=1", "--help") as string;
  for (const part of ["Usage: deno task paint", "Paint:", "Fence:", "--coats <N>", "from 1 to 9"]) {
    assert(help.includes(part), part);
  }
  assert(help.endsWith("Paint dries.\n"));
  assertEquals(help.split("\n").filter((line) => line.length > 80), []);
});

Deno.test("parseCommandLine() takes an option alone, and words besides options", () => {
  const live = { name: "live", type: listenAddress(), alone: "0", help: "show", group: "Run:" };
  const spec = { command: "x", summary: "", options: [live], words: { name: "run", help: "runs" } };
  const of = (...args: string[]) => parseCommandLine(spec, args);
  assertEquals(of("--live"), { values: { live: "127.0.0.1:0" }, words: [] });
  assertEquals(of("a", "b", "--live=0.0.0.0:80"), {
    values: { live: "0.0.0.0:80" },
    words: ["a", "b"],
  });
  assertThrows(() => of("--live=1:65536"), UsageError, "Cannot use --live=1:65536");
  assertThrows(() => parseCommandLine({ ...spec, words: undefined }, ["a"]), UsageError);
});
