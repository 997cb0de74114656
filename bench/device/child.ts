/** Programs that checks start: each ends by itself or at its limit, and leaves a log. */

/** A program to run. */
export interface Program {
  command: readonly string[];
  /** After so long it is ended, with all that it has started. */
  seconds: number;
  /** Where what it prints is kept. */
  log: string;
}

/** A program that has ended. */
export interface Ended {
  code: number;
  timedOut: boolean;
  stdout: string;
  stderr: string;
}

/** Exit codes of `timeout`: the program ended at its limit, or had to be killed. */
const TIMED_OUT = [124, 137];

/**
 * Runs a program to its end, by the `timeout` of coreutils.
 *
 * @throws {Deno.errors.NotFound} If there is no `timeout`.
 */
export async function runProgram({ command, seconds, log }: Program): Promise<Ended> {
  const limit = ["--kill-after=5", String(Math.ceil(seconds))];
  const { code, stdout, stderr } = await new Deno.Command("timeout", {
    args: [...limit, ...command],
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  await Deno.writeTextFile(log, `${command.join(" ")}\n\n${out}\n${err}\nexit code ${code}\n`);
  return { code, timedOut: TIMED_OUT.includes(code), stdout: out, stderr: err };
}

/** What a small program prints; undefined where there is no such program, or it fails. */
export async function outputOf(...[command, ...args]: string[]): Promise<string | undefined> {
  try {
    const { success, stdout } = await new Deno.Command(command, { args, stderr: "null" }).output();
    return success ? new TextDecoder().decode(stdout).trim() : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
