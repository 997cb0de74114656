/** Tests of --arch: stored names, files of both kinds, and a search's run folder. */

import { genotypeOf } from "../../evaluate/architecture.ts";
import { toJson } from "../../nn/genotype_json.ts";
import { formatPython } from "../../nn/genotype_python.ts";
import { DARTS_V1, DARTS_V2, NASNet, PDARTS } from "../../nn/genotypes.ts";
import { RunError } from "../../nn/run_files.ts";
import { assertEquals, assertThrows } from "../assert.ts";
import { permitted } from "../permitted.ts";
import { inFolder } from "../search/program.ts";

const ignore = !permitted({ read: ["/tmp"], write: ["/tmp"] });

function test(name: string, body: (folder: string) => void): void {
  const fn = () => inFolder((folder) => Promise.resolve(body(folder)));
  Deno.test({ name, ignore, fn });
}

test("genotypeOf() reads stored names, and files in JSON and Python", (folder) => {
  Deno.writeTextFileSync(`${folder}/a.json`, toJson(DARTS_V1));
  Deno.writeTextFileSync(`${folder}/a.py`, `A = ${formatPython(DARTS_V2)}\n`);
  assertEquals(genotypeOf({ source: "NASNet", skips: null }), NASNet);
  assertEquals(genotypeOf({ source: `${folder}/a.json`, skips: null }), DARTS_V1);
  assertEquals(genotypeOf({ source: `${folder}/a.py`, skips: null }), DARTS_V2);
});

test("genotypeOf() takes the search's genotype, or that of another limit on skips", (folder) => {
  const variants = [
    { maxSkips: null, genotype: PDARTS },
    { maxSkips: 4, genotype: DARTS_V1 },
    { maxSkips: 1, genotype: NASNet },
  ];
  Deno.writeTextFileSync(`${folder}/genotype.json`, toJson(DARTS_V2));
  Deno.writeTextFileSync(`${folder}/genotypes.json`, JSON.stringify(variants));
  const found = (skips: number | null) => genotypeOf({ source: folder, skips });
  assertEquals([null, 5, 4, 2, 1, 0].map(found), [
    DARTS_V2,
    PDARTS,
    DARTS_V1,
    DARTS_V1,
    NASNet,
    NASNet,
  ]);
});

test("genotypeOf() refuses what holds no genotype in one sentence", (folder) => {
  Deno.writeTextFileSync(`${folder}/bad.json`, '{"normal": []}');
  const refuse = (source: string, says: string, skips: number | null = null) =>
    assertThrows(() => genotypeOf({ source, skips }), RunError, says);
  refuse(`${folder}/bad.json`, `Cannot read the genotype in ${folder}/bad.json: 'normalConcat'`);
  refuse(folder, `it holds no genotype.json, which a search leaves at its end`);
  refuse("PDARTZ", 'did you mean "PDARTS"?');
  refuse("PDARTS", "Cannot use --skips=3", 3);
});
