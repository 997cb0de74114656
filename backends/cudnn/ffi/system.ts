/**
 * What discovery may look at: variables, folders and files. Tests give a made-up one.
 *
 * This process's own never asks for a permission: what it may not see is as if it were not there.
 */

/** A machine as discovery sees it. */
export interface System {
  /** As Deno names it: "linux", "windows", "darwin". */
  readonly os: string;
  /** As Deno names it: "x86_64" or "aarch64". */
  readonly arch: string;
  /** A variable's value; undefined where it has none. */
  variable(name: string): string | undefined;
  /** Names in a folder; none where there is no such folder. */
  list(folder: string): readonly string[];
  /** A file's path without links; undefined where there is no such file. */
  realPath(file: string): string | undefined;
  /** A file's first bytes, all by default; undefined where there is no such file. */
  read(file: string, bytes?: number): Uint8Array | undefined;
  /** Whether something could not be seen for want of permission. */
  readonly limited: boolean;
}

/** The machine this process runs on, as far as its permissions reach. */
export function thisSystem(): System {
  let limited = false;
  const reading = <T>(path: string, read: () => T): T | undefined => {
    if (Deno.permissions.querySync({ name: "read", path }).state !== "granted") {
      limited = true;
      return undefined;
    }
    try {
      return read();
    } catch (error) {
      if (isAbsence(error)) return undefined;
      throw error;
    }
  };
  return {
    os: Deno.build.os,
    arch: Deno.build.arch,
    get limited() {
      return limited;
    },
    variable: permittedVariable,
    list: (folder) =>
      reading(folder, () => [...Deno.readDirSync(folder)].map(({ name }) => name)) ?? [],
    realPath: (file) => reading(file, () => Deno.realPathSync(file)),
    read: (file, bytes) => reading(file, () => readStart(file, bytes)),
  };
}

/** A variable's value; undefined where it is not set, empty, or not this program's to read. */
export function permittedVariable(variable: string): string | undefined {
  if (Deno.permissions.querySync({ name: "env", variable }).state !== "granted") return undefined;
  return Deno.env.get(variable) || undefined;
}

/** There is no such file or folder, or the user may not look there. */
function isAbsence(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied ||
    error instanceof Deno.errors.NotADirectory || error instanceof Deno.errors.NotCapable ||
    error instanceof Deno.errors.FilesystemLoop;
}

function readStart(path: string, bytes?: number): Uint8Array {
  if (bytes === undefined) return Deno.readFileSync(path);
  using file = Deno.openSync(path);
  const start = new Uint8Array(bytes);
  return start.subarray(0, file.readSync(start) ?? 0);
}
