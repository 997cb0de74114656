/**
 * `deno task demo:web`: serves the built demo on 127.0.0.1, isolated from other origins, so that the CPU
 * backend has threads. Invariant: only files that lie in the folder at the start can be asked for.
 */

import { integer, parseCommandLine } from "../nn/command_line.ts";
import { standardOutput } from "../nn/progress.ts";
import { runMain } from "../nn/run_main.ts";
import { SITE_FOLDER } from "./build.ts";

/** What gives a page shared memory. */
const ISOLATION = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};

const TYPES: Readonly<Record<string, string>> = {
  css: "text/css; charset=utf-8",
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  png: "image/png",
  svg: "image/svg+xml",
  wasm: "application/wasm",
};

/** How {@linkcode serveSite} serves. */
export interface ServeOptions {
  /** The port; 0 for any that is free. */
  readonly port: number;
  /** Whether pages are isolated from other origins; default true. */
  readonly isolated?: boolean;
}

/**
 * Serves the files of a folder on 127.0.0.1.
 *
 * @throws {Deno.errors.NotFound} If there is no such folder.
 * @throws {Deno.errors.AddrInUse} If another program has the port.
 */
export function serveSite(
  folder: string,
  { port, isolated = true }: ServeOptions,
): Deno.HttpServer<Deno.NetAddr> {
  const names = new Set([...Deno.readDirSync(folder)].map(({ name }) => name));
  return Deno.serve({ hostname: "127.0.0.1", port, onListen: () => {} }, async (request) => {
    const name = new URL(request.url).pathname.slice(1) || "index.html";
    if (!names.has(name)) return new Response("Not found\n", { status: 404 });
    const type = TYPES[name.slice(name.lastIndexOf(".") + 1)] ?? "application/octet-stream";
    const headers = { "content-type": type, "cache-control": "no-cache" };
    return new Response(await Deno.readFile(`${folder}/${name}`), {
      headers: { ...headers, ...(isolated && ISOLATION) },
    });
  });
}

const COMMAND = {
  command: "deno task demo:web",
  summary: "Serves the search in a browser's page.",
  options: [{
    name: "port",
    type: integer({ min: 1, max: 65535 }),
    help: "port on 127.0.0.1",
    hint: "[8321]",
    group: "Options",
  }],
};

async function main(args: readonly string[]): Promise<"done"> {
  const parsed = parseCommandLine(COMMAND, args), output = standardOutput();
  if ("help" in parsed) {
    output.write(parsed.help);
    return "done";
  }
  const server = serveSite(SITE_FOLDER, { port: Number(parsed.values.port ?? 8321) });
  output.write(`The demo is at http://127.0.0.1:${server.addr.port}/ until Ctrl-C.\n`);
  await server.finished;
  return "done";
}

if (import.meta.main) {
  await runMain({
    command: COMMAND.command,
    run: "deno run -q -P=demo",
    script: "demo/serve.ts",
    folders: { read: ["."], write: [".cache"] },
  }, main);
}
