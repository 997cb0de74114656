/** The worker of `watch.ts`: looks for changes of a run's files, and tells the page and the event files. */

/// <reference lib="deno.worker" />

import { LivePage } from "./live_page.ts";
import type { WatchReport, WatchStart } from "./watch.ts";

/** Milliseconds between two looks at the files. */
const INTERVAL = 500;
/** Files whose change is a change of what is shown. */
const FILES = ["config.json", "log.jsonl", "timing.jsonl", "alphas.jsonl", "summary.json"];

/** What is told of changes. */
export interface Follower {
  /** The run's files have changed, for the last time where it has ended. */
  update(ended: boolean): Promise<void>;
}

const scope = self as unknown as DedicatedWorkerGlobalScope;
const tell = (report: WatchReport) => scope.postMessage(report);

/** Sizes and times of the run's files; a file that is missing has none. */
function stamp(path: string): string {
  return FILES.map((name) => {
    try {
      const { size, mtime } = Deno.statSync(`${path}/${name}`);
      return `${size} ${mtime?.getTime()}`;
    } catch {
      return "";
    }
  }).join(",");
}

async function followersOf({ path, address, tensorboard }: WatchStart): Promise<Follower[]> {
  const followers: Follower[] = [];
  let url: string | undefined;
  if (address) {
    const page = new LivePage(path, address);
    url = page.url;
    followers.push(page);
  }
  if (tensorboard) {
    const { EventFiles } = await import("./tensorboard/event_files.ts");
    followers.push(new EventFiles(path));
  }
  tell({ type: "ready", url });
  return followers;
}

async function update(followers: readonly Follower[], ended: boolean): Promise<void> {
  for (const follower of followers) {
    try {
      await follower.update(ended);
    } catch (error) {
      tell({ type: "notice", message: `Cannot show the run: ${(error as Error).message}` });
    }
  }
}

async function follow(start: WatchStart): Promise<void> {
  const followers = await followersOf(start);
  const end = Promise.withResolvers<"end">();
  scope.onmessage = () => end.resolve("end");
  let seen = "";
  for (;;) {
    const now = stamp(start.path);
    if (now !== seen) await update(followers, false);
    seen = now;
    const pause = new Promise((resolve) => setTimeout(resolve, INTERVAL));
    if (await Promise.race([pause, end.promise]) === "end") break;
  }
  await update(followers, true);
  tell({ type: "ended" });
}

scope.onmessage = ({ data }: MessageEvent<WatchStart>) => {
  follow(data).catch((error) => tell({ type: "failed", message: (error as Error).message }));
};
