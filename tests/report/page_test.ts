/** The report's page in a browser: what it shows and says, wide and narrow, of runs of every kind. */

import type { Page } from "playwright-core";
import { reportPage } from "../../report/page.ts";
import { readRun } from "../../report/read_run.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { browserPermitted, type PageOptions, withPage } from "../browser.ts";
import { withScratch } from "../scratch.ts";
import { type MadeUpRun, makeSearch, makeTraining } from "./made_up_run.ts";

const ignore = !browserPermitted();

interface ShownRun extends MadeUpRun {
  make: typeof makeSearch;
  /** Changes the folder before it is read. */
  spoil?: (path: string) => void;
}

/** Shows the page of runs. */
function test(
  name: string,
  { runs, options }: { runs: readonly ShownRun[]; options?: PageOptions },
  body: (page: Page) => Promise<void>,
): void {
  const fn = () =>
    withScratch(async (folder) => {
      const records = runs.map(({ make, spoil, ...run }, index) => {
        const path = `${folder}/run${index}`;
        make(path, run);
        spoil?.(path);
        return readRun(path);
      });
      const file = `${Deno.cwd()}/${folder}/report.html`;
      Deno.writeTextFileSync(file, await reportPage(records));
      await withPage(`file://${file}`, body, options);
    });
  Deno.test({ name: `page: ${name}`, ignore, fn });
}

const canvases = (page: Page) => page.locator("canvas").count();

/** Waits until an expression holds; Playwright's own way would need `unsafe-eval` of the page's policy. */
async function until(page: Page, expression: string): Promise<void> {
  while (!await page.evaluate(expression)) await page.waitForTimeout(20);
}

/** Pixels by which the page is wider than its window. */
const overflow = (page: Page) =>
  page.evaluate("document.documentElement.scrollWidth - innerWidth") as Promise<number>;

const sizes = "all charts are drawn in the window's width, wide and narrow, light and dark";
test(sizes, { runs: [{ make: makeSearch }, { make: makeTraining }] }, async (page) => {
  for (const colorScheme of ["dark", "light"] as const) {
    for (const width of [1400, 390]) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 900 });
      await until(page, `document.querySelector('.uplot').clientWidth < ${width / 2 + 200}`);
      assertEquals(await canvases(page), 4 + 4 + 28);
      assert(await overflow(page) <= 0, `${colorScheme}, ${width}`);
    }
  }
});

test("arrow keys read a chart's values", { runs: [{ make: makeTraining }] }, async (page) => {
  const chart = page.locator("#eval-loss");
  assertMatch(
    (await chart.getAttribute("aria-label"))!,
    /^Loss over epoch: training ends at 0\.667/,
  );
  await chart.focus();
  const output = page.locator("figure:has(#eval-loss) output");
  await chart.press("Home");
  await until(page, "document.querySelector('output').textContent !== ''");
  assertEquals(await output.textContent(), "epoch 1: training 2, test 2");
  await chart.press("ArrowRight");
  await until(page, "document.querySelector('output').textContent.startsWith('epoch 2')");
});

const clipboard = { permissions: ["clipboard-read", "clipboard-write"] };
test(
  "a genotype is copied by keyboard",
  { runs: [{ make: makeSearch }], options: clipboard },
  async (page) => {
    const button = page.getByRole("button", { name: "Copy the genotype, limit none" });
    await button.press("Enter");
    await page.getByText("Copied").waitFor();
    const copied = await page.evaluate("navigator.clipboard.readText()") as string;
    assertStringIncludes(copied, "Genotype(normal=[('skip_connect', 0)");
    assertEquals(copied, await page.locator("td code").first().textContent());
  },
);

const named = "everything that can be focused, and every picture, has a name";
test(named, { runs: [{ make: makeSearch }] }, async (page) => {
  const nameless = await page.evaluate(
    `[...document.querySelectorAll("[tabindex], button, a, img, summary")]
    .filter((element) => !(element.getAttribute("aria-label") ?? element.alt ?? element.textContent).trim())
    .map((element) => element.outerHTML)`,
  );
  assertEquals(nameless, []);
  assertEquals(await page.locator("img").count(), 8);
});

const hostile =
  `</script><script>document.title = "owned"</script><img src=x onerror="document.title='owned'">`;
test("a hostile note stays text", {
  runs: [{
    make: makeSearch,
    note: hostile,
    spoil: (path) =>
      Deno.writeTextFileSync(
        `${path}/log.jsonl`,
        JSON.stringify({ type: hostile, epoch: hostile }) + "\n",
        {
          append: true,
        },
      ),
  }],
}, async (page) => {
  assertEquals(await page.title(), "run0: P-DARTS");
  assertEquals(await page.getByText(hostile, { exact: true }).first().textContent(), hostile);
  assertEquals(await page.locator("img[src=x]").count(), 0);
});

test(
  "a single epoch is shown as points",
  { runs: [{ make: makeTraining, epochs: 1 }] },
  async (page) => {
    assertEquals(await canvases(page), 4);
    const drawn = await page.evaluate(`(() => {
    const canvas = document.querySelector("canvas");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const [r, g, b] = [0xd1, 0x57, 0x0a]; // --c2
    for (let i = 0; i < data.length; i += 4) {
      if (Math.abs(data[i] - r) + Math.abs(data[i + 1] - g) + Math.abs(data[i + 2] - b) < 30) return true;
    }
    return false;
  })()`);
    assert(drawn, "no point of the test's colour");
  },
);

test(
  "a thousand epochs are shown",
  { runs: [{ make: makeSearch, epochs: 1000 }] },
  async (page) => {
    assertEquals(await canvases(page), 4 + 28);
    assert(await overflow(page) <= 0);
  },
);

const gaps: ShownRun = {
  make: makeSearch,
  finished: false,
  spoil: (path) => {
    const lines = Deno.readTextFileSync(`${path}/log.jsonl`).split("\n");
    const kept = lines.filter((_, index) => index % 3 !== 0);
    Deno.writeTextFileSync(`${path}/log.jsonl`, ["{", ...kept].join("\n"));
    Deno.removeSync(`${path}/timing.jsonl`);
  },
};
test(
  "a run with gaps shows what is left, and that lines are missing",
  { runs: [gaps] },
  async (page) => {
    assertStringIncludes(await page.locator(".notice").innerText(), "1 lines of this run's files");
    assert(await canvases(page) > 2);
  },
);

test("several runs have a mean", {
  runs: [{ make: makeTraining }, { make: makeTraining, shift: 0.5 }],
}, async (page) => {
  assertStringIncludes(await page.locator("main").innerText(), "75.00 % ± 0.00 %");
  const chart = page.locator("#eval-loss");
  await chart.focus();
  await chart.press("Home");
  await until(page, "document.querySelector('output').textContent !== ''");
  assertStringIncludes(
    (await page.locator("output").first().textContent())!,
    "training: mean 2.25",
  );
});
