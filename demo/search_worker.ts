/** The worker that searches, so that the page stays responsive. */

/// <reference lib="deno.worker" />

import { cifarSample } from "../datasets/cifar_sample.ts";
import { startDemoBackend } from "./demo_backend.ts";
import type { Command, News } from "./messages.ts";
import { Session } from "./session.ts";

const tell = (news: News) => self.postMessage(news);
let session: Session | undefined;

self.onmessage = async ({ data: command }: MessageEvent<Command>) => {
  try {
    if (command.type === "start") session = await begin(command);
    if (command.type === "pause") session?.pause();
    else await session?.run();
  } catch (error) {
    tell({ type: "failed", message: (error as Error).message });
  }
};

async function begin({ backend: choice, settings }: Command & { type: "start" }): Promise<Session> {
  const { backend, notes } = await startDemoBackend(choice);
  tell({ type: "backend", description: backend.description, notes });
  const data = cifarSample(await fetched("cifar10_sample.png"));
  return new Session({ settings, data, backend, tell });
}

async function fetched(name: string): Promise<Uint8Array> {
  const response = await fetch(new URL(name, import.meta.url));
  if (!response.ok) throw new Error(`Cannot load ${name}: the host answers ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}
