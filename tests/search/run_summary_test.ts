/** Tests of what a finished search leaves: every variant with its size, and the one to use. */

import { parsePython } from "../../nn/genotype_python.ts";
import { countSkips } from "../../nn/genotypes.ts";
import { RUN_FORMAT, RunFolder } from "../../nn/run_folder.ts";
import { allPrimitives, type EdgeWeights } from "../../search/edge_weights.ts";
import { restrictSkips } from "../../search/restrict_skips.ts";
import { writeSummary } from "../../search/run_summary.ts";
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import { scratchPermitted, withScratch } from "../scratch.ts";

/** Weights that favour one primitive on every edge, the earlier edges more. */
function favouring(column: number): EdgeWeights {
  const kept = allPrimitives();
  const weights = kept.map((primitives, edge) =>
    primitives.map((_, index) => index === column ? 0.5 - edge / 100 : (index + 1) / 100)
  );
  return { weights, kept };
}

Deno.test({
  name: "writeSummary() writes every variant, and shows the one of at most two skips",
  ignore: !scratchPermitted(),
  fn: () =>
    withScratch(async (scratch) => {
      using folder = RunFolder.create(`${scratch}/run`, {
        format: RUN_FORMAT,
        kind: "search",
        options: {},
        versions: {},
        backend: "none",
        started: "",
      });
      const skips = restrictSkips({ normal: favouring(3), reduce: favouring(4) });
      const validation = { loss: 2, top1: 0.25, top5: 0.5, samples: 4 };
      const text = await writeSummary(
        { skips, validation, seconds: 61 },
        { folder, network: "cifar", classes: 10, maxSkips: 2, unreadable: 0, note: "a note" },
      );
      const read = (name: string) => Deno.readTextFileSync(`${folder.path}/${name}`);
      const chosen = parsePython(read("genotype.py"));
      assertEquals(JSON.parse(read("genotype.json")), chosen);
      assertEquals(countSkips(chosen.normal), 2);
      const variants = JSON.parse(read("genotypes.json"));
      assertEquals(variants.map(({ maxSkips }: { maxSkips: number }) => maxSkips), [
        null,
        ...skips.restricted.map(({ maxSkips }) => maxSkips),
      ]);
      for (const { genotype, skips, parameters, multiplyAdds } of variants) {
        assertEquals(countSkips(genotype.normal), skips);
        assert(parameters > 1e6 && multiplyAdds > 1e8);
      }
      const python = read("genotypes.py").trim().split("\n");
      assertEquals(python.map((line) => parsePython(line)), [
        skips.unrestricted,
        ...skips.restricted.map(({ genotype }) => genotype),
      ]);
      assertEquals(JSON.parse(read("summary.json")).chosen.genotype, chosen);
      for (const part of ["a note", read("genotype.py").trim(), "top-1 25.00 %", "1 min 01 s"]) {
        assertStringIncludes(read("summary.md"), part);
      }
      assertStringIncludes(text, read("genotype.py").trim());
      assert(text.endsWith(`Run folder: ${folder.path}`));
      assertEquals([...Deno.readFileSync(`${folder.path}/normal_cell.png`).slice(1, 4)], [
        80,
        78,
        71,
      ]);
      assertStringIncludes(read("reduction_cell.svg"), "<svg");
    }),
});
