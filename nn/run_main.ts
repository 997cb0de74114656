/**
 * What surrounds a main program: its failures as one line on standard error, its exit code, and access
 * to folders outside its permission set.
 *
 * Invariant: whatever is thrown, also outside the program's own promise, ends here, and nobody is shown
 * a stack trace.
 */

import { isAbsolute, relative, resolve } from "node:path";
import {
  INTERRUPTED_EXIT,
  oneLine,
  TERMINATED_EXIT,
  USAGE_EXIT,
  UsageError,
} from "./command_line.ts";
import { RunError } from "./run_files.ts";

/** How a main program is started, for messages that tell a person what to type. */
export interface MainProgram {
  /** Such as `deno task search`. */
  readonly command: string;
  /** What that runs, up to the program's file, such as `deno run -P=search`. */
  readonly run: string;
  /** The program's file, relative to the project's folder. */
  readonly script: string;
  /** The folders that its permission set opens. */
  readonly folders: { readonly read: readonly string[]; readonly write: readonly string[] };
  /** Single files that its permission set lets it read, for its libraries. */
  readonly files?: readonly string[];
}

/** How a main program ended: by itself, by Ctrl-C, or by SIGTERM. */
export type Outcome = "done" | "interrupted" | "terminated";

const EXIT_CODES: Record<Outcome, number> = {
  done: 0,
  interrupted: INTERRUPTED_EXIT,
  terminated: TERMINATED_EXIT,
};

/** Runs a main program and leaves the process with its exit code. */
export async function runMain(
  program: MainProgram,
  body: (args: string[]) => Promise<Outcome>,
): Promise<never> {
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    Deno.exit(report(event.reason, program));
  });
  globalThis.addEventListener("error", (event) => {
    event.preventDefault();
    Deno.exit(report(event.error ?? event.message, program));
  });
  try {
    Deno.exit(EXIT_CODES[await body([...Deno.args])]);
  } catch (error) {
    Deno.exit(report(error, program));
  }
}

function report(error: unknown, program: MainProgram): number {
  const line = `error: ${oneLine(sentence(error, program))}\n`;
  Deno.stderr.writeSync(new TextEncoder().encode(line));
  return error instanceof UsageError ? USAGE_EXIT : 1;
}

/** An error in one sentence: this project's own as they are worded, others with their class. */
function sentence(error: unknown, program: MainProgram): string {
  if (!(error instanceof Error)) return `Unexpected failure: ${error}`;
  if (error instanceof UsageError) {
    return `${error.message}; see ${error.command ?? program.command} --help`;
  }
  const builtIn = ["Error", "TypeError", "RangeError", "SyntaxError"].includes(error.name);
  const worded = !builtIn || error.message.startsWith("Cannot ");
  return worded ? error.message : `Unexpected ${error.name}: ${error.message}`;
}

/** A path that a person gave, and what the program wants of it. */
export interface Access {
  /** As given: absolute, or relative to the working directory. */
  readonly path: string;
  /** The option that named it, such as `--save`. */
  readonly option: string;
  /** What is wanted. */
  readonly kinds: readonly ("read" | "write")[];
}

/**
 * Makes sure that the program may use the paths a person gave: in a terminal Deno asks.
 *
 * @throws {RunError} when it may not; the message names the folders open to it, and the command that
 * opens the others
 */
export function requestAccess(accesses: readonly Access[], program: MainProgram): void {
  for (const { path, option, kinds } of accesses) {
    const denied = kinds.find((name) =>
      Deno.permissions.requestSync({ name, path }).state !== "granted"
    );
    if (denied === undefined) continue;
    const open = program.folders[denied].map((folder) => folder === "." ? "this folder" : folder);
    throw new RunError(
      `No permission to ${denied} ${option}=${path}: open to ${program.command} are ` +
        `${open.join(", ")}; to open it too, run ${commandWith(accesses, Deno.args, program)}`,
    );
  }
}

/**
 * Makes sure that the program may listen at an address that a person gave.
 *
 * @throws {RunError} when it may not; the message has the command that opens it
 */
export function requestListening(host: string, { command, run, script }: MainProgram): void {
  if (Deno.permissions.requestSync({ name: "net", host }).state === "granted") return;
  const words = Deno.args.map(shellWord).join(" ");
  throw new RunError(
    `No permission to listen at ${host}: open to ${command} is 127.0.0.1; to open it too, run ` +
      `${run} --allow-net=${host} ${script} ${words}`,
  );
}

/** The command with these arguments, granting what its permission set does not. */
export function commandWith(
  accesses: readonly Access[],
  args: readonly string[],
  program: MainProgram,
): string {
  const words = args.map(shellWord);
  const grants = (["read", "write"] as const).flatMap((kind) => {
    const outside = accesses
      .filter(({ path, kinds }) => kinds.includes(kind) && !isOpen(path, program.folders[kind]))
      .map(({ path }) => shellWord(path));
    // The flag stands in place of the set's own list.
    const files = kind === "read" ? program.files ?? [] : [];
    const all = [...program.folders[kind], ...files, ...new Set(outside)];
    return outside.length === 0 ? [] : [`--allow-${kind}=${all.join(",")}`];
  });
  if (grants.length === 0) return [program.command, ...words].join(" ");
  return [program.run, ...grants, program.script, ...words].join(" ");
}

function isOpen(path: string, folders: readonly string[]): boolean {
  return folders.some((folder) => {
    const way = relative(resolve(folder), resolve(path));
    return !way.startsWith("..") && !isAbsolute(way);
  });
}

/** A word as a shell must be given it. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
