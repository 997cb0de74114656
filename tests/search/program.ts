/**
 * Starts the search program as a process of its own, and reads what it leaves.
 *
 * Needs permission to run Deno by its path, which `deno task test` grants.
 */

import { permitted } from "../permitted.ts";

/** What a process that has ended leaves. */
export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

/** Options of a search of the smallest networks for one epoch, alphas included. */
export const TINY_NETWORK = [
  "--epochs=1",
  "--alpha-from-epoch=0",
  "--validation-epochs=0",
  "--layers=3,3,3",
  "--channels=2",
];

const ROOT = new URL("../..", import.meta.url);

/** Whether programs may be started here. */
export function programsPermitted(): boolean {
  const asks = Deno.permissions.querySync({ name: "run", command: Deno.execPath() });
  return asks.state === "granted"
    ? permitted({ read: [".", "/tmp"], write: ["/tmp"] })
    : permitted({ run: ["deno"] });
}

/** Permissions of the library that decodes the images of a folder. */
const IMAGES = {
  read: ",/usr/bin/ldd",
  env: ",MALLOC_ARENA_MAX,npm_package_config_libvips",
  flags: ["--allow-ffi"],
};

/**
 * Starts a program of this project with permissions for its folder, its cache and /tmp.
 *
 * @param images Whether it is also to read image files.
 */
export function start(
  script: string,
  args: readonly string[],
  { images = false } = {},
): Deno.ChildProcess {
  const { read, env, flags } = images ? IMAGES : { read: "", env: "", flags: [] };
  return startDeno([
    "run",
    "-q",
    "--no-prompt",
    `--allow-read=.,/tmp${read}`,
    "--allow-write=.cache,/tmp",
    `--allow-env=CI,DENO_V8_FLAGS${env}`,
    ...flags,
    script,
    ...args,
  ]);
}

/** Starts Deno with arguments of its own, in this project's folder. */
export function startDeno(args: readonly string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: ROOT,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Waits for a process. */
export async function ended(process: Deno.ChildProcess): Promise<Ended> {
  const { code, stdout, stderr } = await process.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Runs a program to its end. */
export function run(
  script: string,
  args: readonly string[],
  options: { images?: boolean } = {},
): Promise<Ended> {
  return ended(start(script, args, options));
}

/** Calls the body with an empty folder below /tmp, and removes it afterwards. */
export async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = Deno.makeTempDirSync({ dir: "/tmp", prefix: "pdarts-search-" });
  try {
    await body(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}
