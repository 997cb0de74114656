/** The page of a run that goes on: what its server answers, and what a browser shows of it. */

import { RunError } from "../../nn/run_files.ts";
import { RUN_DEFAULTS, type RunOptions } from "../../nn/run_options.ts";
import { LivePage } from "../../report/live_page.ts";
import { watch } from "../../report/watch.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "../assert.ts";
import { browserPermitted, withPage } from "../browser.ts";
import { permitted } from "../permitted.ts";
import { scratchPermitted, withScratch } from "../scratch.ts";
import { makeSearch } from "./made_up_run.ts";

const ADDRESS = { hostname: "127.0.0.1", port: 0 };
const ignore = !scratchPermitted() || !permitted({ net: ["127.0.0.1"] });
const PROGRAM = { command: "", run: "", script: "", folders: { read: [], write: [] } };

/** The status line of a request that is sent as it is. */
async function statusOf(url: string, request: string): Promise<string> {
  const { hostname, port } = new URL(url);
  using connection = await Deno.connect({ hostname, port: Number(port) });
  await connection.write(new TextEncoder().encode(request));
  const bytes = new Uint8Array(100), read = await connection.read(bytes);
  return new TextDecoder().decode(bytes.subarray(0, read ?? 0)).split("\r\n")[0];
}

Deno.test({
  name: "LivePage answers for its page alone, by its own name, and reads no path",
  ignore,
  fn: () =>
    withScratch(async (folder) => {
      makeSearch(folder, { finished: false });
      const page = new LivePage(folder, ADDRESS), { host } = new URL(page.url);
      const get = (path: string, name = host) =>
        statusOf(page.url, `GET ${path} HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\n\r\n`);
      const ok = "HTTP/1.1 200 OK", none = "HTTP/1.1 404 Not Found";
      assertEquals(await get("/"), ok);
      assertEquals(await get("/?path=/etc/passwd"), ok);
      for (
        const path of ["/config.json", "/../config.json", "/%2e%2e/config.json", "//etc/passwd"]
      ) {
        assertEquals(await get(path), none, path);
      }
      assertEquals(await get("/", "evil.example"), "HTTP/1.1 421 Misdirected Request");
      assertEquals(
        await statusOf(page.url, `POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 0\r\n\r\n`),
        "HTTP/1.1 405 Method Not Allowed",
      );
      await page.update(true);
    }),
});

Deno.test({
  name: "watch() refuses an address that is in use, in one sentence",
  ignore,
  fn: () =>
    withScratch(async (folder) => {
      using taken = Deno.listen(ADDRESS);
      const { port } = taken.addr as Deno.NetAddr;
      const options: RunOptions = { ...RUN_DEFAULTS, live: `127.0.0.1:${port}` };
      await assertRejects(
        () => watch(folder, options, { program: PROGRAM, print: () => {} }),
        RunError,
        `Cannot listen at 127.0.0.1:${port}: another program uses it`,
      );
    }),
});

Deno.test({
  name: "watch() shows a run from its start to its end to all viewers",
  ignore: ignore || !browserPermitted(),
  fn: () =>
    withScratch(async (folder) => {
      const printed: string[] = [], run = `${folder}/run`;
      const options: RunOptions = { ...RUN_DEFAULTS, live: "127.0.0.1:0" };
      const watched = await watch(run, options, {
        program: PROGRAM,
        print: (sentence) => printed.push(sentence),
      });
      assertEquals(printed.length, 1);
      const [, url] = /^Live: (http:\/\/127\.0\.0\.1:\d+\/)$/.exec(printed[0])!;
      await withPage(url, async (page) => {
        await page.getByText("The run is starting.").waitFor();
        const other = await page.context().browser()!.newPage();
        await other.goto(url);
        makeSearch(run, { epochs: 1, finished: false });
        for (const viewer of [page, other]) {
          await viewer.getByText("stage 3/3, epoch 1/1").waitFor();
        }
        await page.evaluate("document.querySelector('details').open = true");
        makeSearch(run, { epochs: 2, finished: false });
        await page.getByText("stage 3/3, epoch 2/2").waitFor();
        assert(await page.evaluate("document.querySelector('details').open"));
        await other.reload();
        makeSearch(run, { epochs: 2, finished: true });
        await watched![Symbol.asyncDispose]();
        for (const viewer of [page, other]) {
          await viewer.getByText("The run has ended.").waitFor();
          assertStringIncludes(await viewer.locator("main").innerText(), "finished");
          assertEquals(await viewer.locator("canvas").count(), 32);
        }
      });
    }),
});
