/** Tests of the Python form of genotypes. */

import { assertEquals, assertThrows } from "../assert.ts";
import { formatPython, parsePython } from "../../nn/genotype_python.ts";
import { GENOTYPES, PDARTS } from "../../nn/genotypes.ts";

Deno.test("parsePython() reads what formatPython() writes", () => {
  for (const genotype of Object.values(GENOTYPES)) {
    assertEquals(parsePython(formatPython(genotype)), genotype);
  }
});

Deno.test("formatPython() writes a concat with gaps as a list", () => {
  const text = formatPython(GENOTYPES.AmoebaNet);
  assertEquals(text.includes("normal_concat=range(4, 7)"), true);
  assertEquals(text.endsWith("reduce_concat=[3, 4, 6])"), true);
});

Deno.test("parsePython() reads a definition as it stands in genotypes.py", () => {
  const text = `
    # searched on CIFAR-10
    PDARTS = Genotype(
      normal=[
        ('skip_connect', 0), ("dil_conv_3x3", 1), ('skip_connect', 0), ('sep_conv_3x3', 1),
        ('sep_conv_3x3', 1), ('sep_conv_3x3', 3), ('sep_conv_3x3',0), ('dil_conv_5x5', 4),
      ], # the normal cell
      reduce=[
        ('avg_pool_3x3', 0), ('sep_conv_5x5', 1), ('sep_conv_3x3', 0), ('dil_conv_5x5', 2),
        ('max_pool_3x3', 0), ('dil_conv_3x3', 1), ('dil_conv_3x3', 1), ('dil_conv_5x5', 3)],
      normal_concat=[2, 3, 4, 5],
      reduce_concat=range(2, 6),
    )
  `;
  assertEquals(parsePython(text), PDARTS);
});

Deno.test("parsePython() throws a SyntaxError when the text is no such expression", () => {
  const good = formatPython(PDARTS);
  const cases: [string, string][] = [
    ["", "expected 'Genotype', got the end"],
    [good.slice(0, -1), "expected ')', got the end"],
    [good + ")", "')' after the genotype"],
    [good.replace("Genotype", "genotype"), "expected 'Genotype', got genotype"],
    [good.replace("('skip_connect', 0)", "('skip_connect')"), "expected ',', got )"],
    [good.replace("0)", "0.5)"), "unexpected '.' in line 1"],
    [good.replace("range(2, 6)", "range(2, 1 + 5)"), "unexpected '+'"],
    [good.replace("range(2, 6)", "list(range(2, 6))"), "expected '[', got list"],
    [good.replace("range(2, 6)", "range(2, 99999999)"), "is too long"],
    [good.replace("normal_concat", "concat"), "unknown argument 'concat'"],
    [good.replace("reduce=", "normal="), "'normal' is given twice"],
    [good.replace("'skip_connect'", "skip_connect"), "expected a quoted primitive"],
    ["\n\n" + good.replace("[", "<"), "unexpected '<' in line 3"],
  ];
  for (const [text, message] of cases) {
    assertThrows(() => parsePython(text), SyntaxError, message);
  }
});

Deno.test("parsePython() validates what it reads", () => {
  const good = formatPython(PDARTS);
  assertThrows(
    () => parsePython(good.replace("sep_conv_5x5", "sepconv_5x5")),
    RangeError,
    "did you mean 'sep_conv_5x5'?",
  );
  assertThrows(
    () => parsePython(good.replace(", reduce_concat=range(2, 6)", "")),
    TypeError,
    "'reduceConcat' is missing",
  );
  assertThrows(
    () => parsePython(good.replace("range(2, 6)", "range(2, 2)")),
    TypeError,
    "one state or more",
  );
});
