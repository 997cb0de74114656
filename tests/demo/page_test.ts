/** Tests of the demo's pages in Chromium, on the site that `deno task demo:build` writes. */

import type { Page } from "playwright-core";
import { startCpuBackend } from "../../backends/cpu/start.ts";
import { SITE_FOLDER } from "../../demo/build.ts";
import type { DemoSettings } from "../../demo/demo_config.ts";
import { serveSite } from "../../demo/serve.ts";
import { Session } from "../../demo/session.ts";
import { toJson } from "../../nn/genotype_json.ts";
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import { browserPermitted, type PageOptions, withPage } from "../browser.ts";
import { loadSample } from "../datasets/sample.ts";

const SMALL: DemoSettings = { seed: 3, epochs: 1, images: 32 };
const WIDE = { width: 1400, height: 1000 }, NARROW = { width: 390, height: 844 };
/** Milliseconds: other work shares the machine. */
const PATIENCE = 120_000;

interface Case extends PageOptions {
  /** Below the site's folder. */
  path?: string;
  isolated?: boolean;
}

/** A test of a page that is served for it alone. Playwright keeps timers and pipes of its own. */
function test(name: string, body: (page: Page) => Promise<void>, options: Case = {}): void {
  const { path = "", isolated = true, ...pageOptions } = options;
  Deno.test({
    name,
    ignore: !browserPermitted(),
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => {
      await using server = serveSite(SITE_FOLDER, { port: 0, isolated });
      await withPage(`http://127.0.0.1:${server.addr.port}/${path}`, body, pageOptions);
    },
  });
}

async function begin(page: Page, backend: "auto" | "cpu" | "webgpu"): Promise<void> {
  await page.getByLabel("Backend").selectOption(backend);
  await page.getByLabel("Epochs per stage").fill(String(SMALL.epochs));
  await page.getByLabel("Images of each half").fill(String(SMALL.images));
  await page.getByLabel("Seed").fill(String(SMALL.seed));
  await page.getByRole("button", { name: "Start" }).click();
}

async function stateMatches(page: Page, text: string): Promise<void> {
  await page.getByRole("status").filter({ hasText: text }).waitFor({ timeout: PATIENCE });
}

async function downloaded(page: Page, name: string): Promise<Uint8Array> {
  const [file] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name }).click(),
  ]);
  return await Deno.readFile(await file.path());
}

/** The genotype of the same search in this process, as its file. */
async function genotypeHere(): Promise<string> {
  const backend = await startCpuBackend({ threads: 1, wideTiles: false });
  let found = "";
  const session = new Session({
    settings: SMALL,
    data: loadSample(),
    backend,
    tell(news) {
      if (news.type === "done") found = toJson(news.genotype);
    },
  });
  await session.run().finally(() => backend.close());
  return found;
}

test(
  "an isolated page searches on threads and finds Deno's genotype, also after a pause",
  async (page) => {
    await begin(page, "auto");
    await stateMatches(page, "Stage 1 of 3");
    await page.getByRole("button", { name: "Pause" }).click();
    await stateMatches(page, "Paused.");
    await page.getByRole("button", { name: "Resume" }).click();
    await stateMatches(page, "Found a cell");
    const device = await page.locator("#device").textContent();
    if (navigator.hardwareConcurrency > 1) assert(/ [2-8] threads,/.test(device!), device!);
    await page.getByAltText("Normal cell").waitFor();
    const genotype = new TextDecoder().decode(await downloaded(page, "Genotype, JSON"));
    assertEquals(JSON.parse(genotype), JSON.parse(await genotypeHere()));
    const drawing = new TextDecoder().decode(await downloaded(page, "Normal cell, SVG"));
    assertStringIncludes(drawing, "<svg");
    const picture = await downloaded(page, "Reduction cell, PNG");
    assertEquals([...picture.subarray(1, 4)], [...new TextEncoder().encode("PNG")]);
  },
  { viewport: WIDE },
);

test("a page that is not isolated searches on one thread, and says why", async (page) => {
  await begin(page, "cpu");
  await page.getByRole("img", { name: "c_{k-2} to 0" }).first().waitFor({ timeout: PATIENCE });
  assertStringIncludes((await page.locator("#device").textContent())!, "1 thread,");
  assertStringIncludes((await page.locator("#notes").textContent())!, "On one thread:");
}, { viewport: NARROW, isolated: false });

test("a page without WebGPU says so in one sentence", async (page) => {
  await begin(page, "webgpu");
  await stateMatches(page, "The search ended: Cannot use WebGPU");
}, { viewport: NARROW });

test("a search can be set up and started with the keyboard alone", async (page) => {
  const visited: string[] = [];
  for (let press = 0; press < 6; press++) {
    await page.keyboard.press("Tab");
    visited.push(await page.evaluate(() => document.activeElement!.id));
  }
  assertEquals(visited, ["", "backend", "epochs", "images", "seed", "start"]);
  await page.keyboard.press("Enter");
  await stateMatches(page, "Loading.");
  await page.keyboard.press("Tab");
  assertEquals(await page.evaluate(() => document.activeElement!.id), "pause");
}, { viewport: WIDE });

test("a search is not started with settings out of range", async (page) => {
  await page.getByLabel("Epochs per stage").fill("0");
  await page.getByRole("button", { name: "Start" }).click();
  assertEquals(await page.getByRole("status").textContent(), "Ready.");
});

for (const [colorScheme, viewport] of [["light", NARROW], ["dark", WIDE]] as const) {
  for (const path of ["index.html", "about.html"]) {
    test(`${path} fits ${viewport.width} pixels and is readable [${colorScheme}]`, async (page) => {
      const { wide, dark } = await page.evaluate(() => ({
        wide: document.documentElement.scrollWidth > innerWidth,
        dark: getComputedStyle(document.body).backgroundColor === "rgb(22, 24, 28)",
      }));
      assertEquals({ wide, dark }, { wide: false, dark: colorScheme === "dark" });
      assertEquals(await page.getByRole("heading", { level: 1 }).count(), 1);
    }, { path, viewport, colorScheme });
  }
}
