/** Tests of the confusion matrix's picture, for few classes and for a thousand. */

import { confusionSvg } from "../../evaluate/confusion_drawing.ts";
import { worstClasses } from "../../evaluate/test_network.ts";
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";

/** Counts of ten images of each class, of which `right` were taken for it and the rest for the next. */
function confusionOf(classes: number, right: (label: number) => number): number[][] {
  return Array.from({ length: classes }, (_, label) => {
    const row = new Array<number>(classes).fill(0);
    row[label] = right(label);
    row[(label + 1) % classes] += 10 - right(label);
    return row;
  });
}

function names(count: number): string[] {
  return Array.from({ length: count }, (_, label) => `class ${label}`);
}

function textsOf(svg: string): string[] {
  return Array.from(svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g), ([, text]) => text);
}

Deno.test("confusionSvg() names few classes, and shortens long names", () => {
  const classes = ["a<b", "a name that is far too long", "c"];
  const svg = confusionSvg(confusionOf(3, () => 9), { classes, title: "few" });
  const texts = textsOf(svg);
  assertEquals(texts.filter((text) => text === "a&#60;b").length, 2);
  assertEquals(texts.filter((text) => text === "a name that i…").length, 2);
  assertEquals(texts.filter((text) => text === "9").length, 3);
});

Deno.test("confusionSvg() draws a hundred classes without names", () => {
  const svg = confusionSvg(confusionOf(100, () => 5), { classes: names(100), title: "many" });
  assertEquals(svg.match(/<rect/g)!.length, 1 + 100 * 100);
  assertEquals(textsOf(svg), ["many", "columns: taken for"]);
});

Deno.test("confusionSvg() draws the twenty worst of a thousand classes", () => {
  const confusion = confusionOf(1000, (label) => label % 50 === 0 ? 1 : 9);
  const svg = confusionSvg(confusion, { classes: names(1000), title: "all" });
  assertEquals(svg.match(/<rect/g)!.length, 1 + 20 * 21);
  const texts = textsOf(svg);
  for (const name of ["class 0", "class 950", "others"]) assert(texts.includes(name), name);
  assertStringIncludes(texts.at(-1)!, "the lowest 20 of 1000 classes");
  assertEquals(texts.filter((text) => text === "1").length, 20); // taken for themselves
  assertEquals(texts.filter((text) => text === "9").length, 20); // taken for others
});

Deno.test("worstClasses() orders by accuracy, and leaves out classes without images", () => {
  const confusion = [[2, 2, 0], [0, 0, 0], [0, 3, 1]];
  assertEquals(worstClasses(confusion, 3), [2, 0]);
  assertEquals(worstClasses(confusion, 1), [2]);
});
