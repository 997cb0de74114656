/**
 * What surrounds a main program: its failures as one line on standard error, its exit code, and access
 * to folders outside its permission set.
 *
 * Invariant: whatever is thrown, also outside the program's own promise, ends here, and nobody is shown
 * a stack trace.
 */

import { INTERRUPTED_EXIT, oneLine, USAGE_EXIT, UsageError } from "./command_line.ts";
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
}

/** How a main program ended. */
export type Outcome = "done" | "interrupted";

/** Runs a main program and leaves the process with its exit code. */
export async function runMain(
  program: MainProgram,
  body: (args: string[]) => Promise<Outcome>,
): Promise<never> {
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    Deno.exit(report(event.reason, program));
  });
  try {
    const outcome = await body([...Deno.args]);
    Deno.exit(outcome === "interrupted" ? INTERRUPTED_EXIT : 0);
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
  if (error instanceof UsageError) return `${error.message}; see ${program.command} --help`;
  const builtIn = ["Error", "TypeError", "RangeError", "SyntaxError"].includes(error.name);
  const worded = !builtIn || error.message.startsWith("Cannot ");
  return worded ? error.message : `Unexpected ${error.name}: ${error.message}`;
}

/** What a program wants of a folder. */
export interface Access {
  /** The option that names the folder, such as `--save`. */
  readonly option: string;
  readonly kinds: readonly ("read" | "write")[];
}

/**
 * Makes sure that the program may use a folder: in a terminal Deno asks the person.
 *
 * @throws {RunError} when it may not; the message names the folders open to it, and the command that
 * opens this one
 */
export function requestAccess(folder: string, access: Access, program: MainProgram): void {
  const denied = access.kinds.find((name) =>
    Deno.permissions.requestSync({ name, path: folder }).state !== "granted"
  );
  if (denied === undefined) return;
  const grants = access.kinds.map((kind) => `--allow-${kind}=${shellWord(folder)}`);
  const command = [program.run, ...grants, program.script, ...Deno.args.map(shellWord)];
  throw new RunError(
    `No permission to ${denied} ${access.option}=${folder}: open to ${program.command} ` +
      `are ${program.folders[denied].join(", ")}; to open this folder, run ${command.join(" ")}`,
  );
}

/** A word as a shell must be given it. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
