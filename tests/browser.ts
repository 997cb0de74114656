/**
 * Pages in headless Chromium, Debian's: `deno task test:browser` grants what they need. A page's errors,
 * those on its console too, fail the test.
 */

import fs from "node:fs";
import type { BrowserContextOptions, Page } from "playwright-core";
import { assertEquals } from "./assert.ts";
import { permitted } from "./permitted.ts";

const CHROMIUM = "/usr/bin/chromium";

/** Whether Chromium may be started and is there; prints why not. Pass it to `ignore`. */
export function browserPermitted(): boolean {
  if (!permitted({ read: [CHROMIUM], run: [CHROMIUM], net: ["127.0.0.1"] })) return false;
  try {
    return Deno.statSync(CHROMIUM).isFile;
  } catch {
    console.log(`skipping tests of pages: there is no ${CHROMIUM} (apt-get install chromium)`);
    return false;
  }
}

/**
 * Imports Playwright. It asks /proc whether it runs in WSL, which Deno 2.9.6 lets a program do with all
 * permissions alone and then throws; here it is told no.
 */
async function importPlaywright(): Promise<typeof import("playwright-core")> {
  const { existsSync } = fs;
  fs.existsSync = (path) => !String(path).startsWith("/proc/") && existsSync(path);
  try {
    return await import("playwright-core");
  } finally {
    fs.existsSync = existsSync;
  }
}

/** How a page is shown. */
export interface PageOptions extends BrowserContextOptions {
  /** Arguments of Chromium. */
  args?: readonly string[];
}

/** Opens a page of its own browser; anything on the page's console, and any of its errors, fails. */
export async function withPage<T>(
  url: string,
  body: (page: Page) => Promise<T>,
  { args = [], ...options }: PageOptions = {},
): Promise<T> {
  const { chromium } = await importPlaywright();
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ["--no-sandbox", ...args],
  });
  try {
    const page = await browser.newPage(options), complaints: string[] = [];
    page.on("console", (message) => complaints.push(`${message.type()}: ${message.text()}`));
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("requestfailed", (request) => complaints.push(`not loaded: ${request.url()}`));
    await page.goto(url);
    const result = await body(page);
    assertEquals(complaints, []);
    return result;
  } finally {
    await browser.close();
  }
}
