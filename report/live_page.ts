/**
 * The page of a run that goes on, on an address of this machine, and the events that tell it of changes.
 *
 * Two addresses are answered: `/`, with the page as the files are now, and `/events`. Invariants: no part of
 * a request becomes a path, so no other file can be read; on a loopback address the `Host` of a request must
 * be that address, so that no other site's name can be turned to it; a page is made when it is asked for, and
 * once for each change.
 */

import { hasRun, readRun } from "./read_run.ts";
import { reportPage, waitingPage } from "./page.ts";

const HEADERS = {
  "cache-control": "no-store",
  "content-security-policy": "frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};
const LOOPBACK = ["127.0.0.1", "::1", "localhost"];

type Viewer = ReadableStreamDefaultController<Uint8Array>;

/** Serves a run's page until its last update. */
export class LivePage {
  /** Where it is found. */
  readonly url: string;
  readonly #path: string;
  readonly #hostname: string;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #viewers = new Set<Viewer>();
  #version = 0;
  #page: { version: number; text: Promise<string> } | undefined;

  /**
   * Starts to serve.
   *
   * @throws {Error} of one sentence when the address cannot be had
   */
  constructor(path: string, { hostname, port }: { hostname: string; port: number }) {
    this.#path = path;
    this.#hostname = hostname;
    try {
      const options = { hostname, port, onListen() {}, onError: failure };
      this.#server = Deno.serve(options, (request) => this.#answer(request));
    } catch (error) {
      const reason = error instanceof Deno.errors.AddrInUse
        ? "another program uses it"
        : (error as Error).message;
      throw new Error(`Cannot listen at ${hostname}:${port}: ${reason}`, { cause: error });
    }
    this.url = `http://${this.#host}/`;
  }

  /** Tells the viewers of a change; with the last one they get the page, and the server ends. */
  async update(ended: boolean): Promise<void> {
    this.#version++;
    if (!ended) return this.#send(`data: ${this.#version}\n\n`);
    const page = JSON.stringify(await this.#current());
    this.#send(`event: end\ndata: ${page}\n\n`);
    for (const viewer of this.#viewers) viewer.close();
    this.#viewers.clear();
    await this.#server.shutdown();
  }

  get #host(): string {
    const { port } = this.#server.addr;
    return this.#hostname.includes(":")
      ? `[${this.#hostname}]:${port}`
      : `${this.#hostname}:${port}`;
  }

  async #answer(request: Request): Promise<Response> {
    if (!this.#isAddressed(request)) return new Response("Not this host.\n", { status: 421 });
    if (request.method !== "GET") return new Response("Only GET.\n", { status: 405 });
    const { pathname } = new URL(request.url);
    if (pathname === "/") {
      const headers = { ...HEADERS, "content-type": "text/html; charset=utf-8" };
      return new Response(await this.#current(), { headers });
    }
    if (pathname === "/events") {
      return new Response(this.#events(), {
        headers: { ...HEADERS, "content-type": "text/event-stream" },
      });
    }
    return new Response("Not found.\n", { status: 404, headers: HEADERS });
  }

  #isAddressed(request: Request): boolean {
    if (!LOOPBACK.includes(this.#hostname)) return true;
    const host = request.headers.get("host"), { port } = this.#server.addr;
    return host === this.#host || host === `localhost:${port}`;
  }

  #current(): Promise<string> {
    const version = this.#version;
    if (this.#page?.version !== version) {
      const text = hasRun(this.#path)
        ? reportPage([readRun(this.#path)], { live: true })
        : waitingPage();
      this.#page = { version, text };
    }
    return this.#page.text;
  }

  #events(): ReadableStream<Uint8Array> {
    let viewer: Viewer;
    return new ReadableStream({
      start: (controller) => {
        viewer = controller;
        this.#viewers.add(viewer);
        viewer.enqueue(new TextEncoder().encode(`retry: 2000\ndata: ${this.#version}\n\n`));
      },
      cancel: () => {
        this.#viewers.delete(viewer);
      },
    });
  }

  #send(event: string): void {
    const bytes = new TextEncoder().encode(event);
    for (const viewer of this.#viewers) viewer.enqueue(bytes);
  }
}

/** A page that cannot be made says why, in words. */
function failure(error: unknown): Response {
  const text = error instanceof Error ? error.message : String(error);
  return new Response(`${text}\n`, { status: 500, headers: HEADERS });
}
