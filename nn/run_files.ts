/**
 * Files of a run folder: whole files that are replaced atomically, and growing files of JSON lines.
 *
 * Invariants: a reader sees the old or the new content of a replaced file, never a part, also after a
 * crash or a full disk; every failure is a {@linkcode RunError} of one sentence, except a missing
 * permission of Deno's, which passes unchanged so that the command line can say how to grant it.
 */

/** A run folder that cannot be used or written; the message is one sentence for the user. */
export class RunError extends Error {
  /** The class, for messages. */
  override readonly name = "RunError";
}

/** Runs a file operation, and words its failure as "Cannot ${task}: reason". */
export function attempt<T>(task: string, operation: () => T): T {
  try {
    return operation();
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable || error instanceof RunError) throw error;
    throw new RunError(`Cannot ${task}: ${reasonOf(error)}`, { cause: error });
  }
}

/** The reason of a failed file operation in a few words. */
function reasonOf(error: unknown): string {
  const { code, message } = error as Error & { code?: string };
  switch (code) {
    case "ENOSPC":
      return "no space is left on the disk";
    case "EDQUOT":
      return "the disk quota is used up";
    case "EFBIG":
      return "the file is larger than the system allows";
    case "EROFS":
      return "the file system is read-only";
    case "EACCES":
    case "EPERM":
      return "the system refuses access";
    case "EPIPE":
      return "its reader has closed it";
    case "ENOENT":
      return "it does not exist";
    case "ENOTDIR":
      return "a part of the path is not a folder";
    default:
      return message.split("\n")[0];
  }
}

/**
 * Replaces a file: the content goes to a temporary file beside it, onto the disk, and into its place.
 *
 * @param path The file.
 * @param content Text, or bytes.
 * @throws {RunError} when it cannot be written; the former file, if any, is unharmed
 */
export function replaceFile(path: string, content: string | Uint8Array): void {
  const temporary = writeTemporary(path, content);
  attempt(`write ${path}`, () => Deno.renameSync(temporary, path));
}

/**
 * Writes `${path}.tmp` and waits until it is on the disk.
 *
 * @returns its path
 * @throws {RunError} when it cannot be written; what was written of it is removed
 */
export function writeTemporary(path: string, content: string | Uint8Array): string {
  const temporary = `${path}.tmp`;
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  try {
    attempt(`write ${path}`, () => {
      using file = Deno.openSync(temporary, { write: true, create: true, truncate: true });
      writeAll(file, bytes);
      file.syncSync();
    });
  } catch (error) {
    removeIfThere(temporary);
    throw error;
  }
  return temporary;
}

/** Whether there is such a file. */
export function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/**
 * The text of a file; undefined where there is none.
 *
 * @throws {RunError} when there is one, and it cannot be read
 */
export function readIfThere(path: string): string | undefined {
  return attempt(`read ${path}`, () => {
    try {
      return Deno.readTextFileSync(path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  });
}

/** Removes a file; one that is not there, or cannot be removed, stays unmentioned. */
export function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // Only called to tidy up: the failure that led here is the one to report.
  }
}

function writeAll(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) {
    written += file.writeSync(bytes.subarray(written));
  }
}

/**
 * A file of JSON lines that grows, and that can be cut back to an earlier length.
 *
 * @example
 * ```ts ignore
 * using log = new JsonLines("runs/a/log.jsonl");
 * log.append({ step: 1, loss: 2.3 });
 * const length = log.sync(); // a later log.truncate(length) forgets what follows
 * ```
 */
export class JsonLines {
  readonly #path: string;
  readonly #file: Deno.FsFile;
  #length: number;

  /**
   * Opens the file at its end, and makes it where it is missing.
   *
   * @throws {RunError} when it cannot be opened
   */
  constructor(path: string) {
    this.#path = path;
    this.#file = attempt(
      `open ${path}`,
      () => Deno.openSync(path, { read: true, write: true, create: true }),
    );
    this.#length = attempt(`open ${path}`, () => this.#file.seekSync(0, Deno.SeekMode.End));
  }

  /** Bytes in the file. */
  get length(): number {
    return this.#length;
  }

  /**
   * Adds a line.
   *
   * @throws {RunError} when it cannot be written; the file then ends with the line before
   */
  append(value: unknown): void {
    const bytes = new TextEncoder().encode(JSON.stringify(value) + "\n");
    try {
      attempt(`write ${this.#path}`, () => writeAll(this.#file, bytes));
    } catch (error) {
      this.truncate(this.#length);
      throw error;
    }
    this.#length += bytes.length;
  }

  /** Waits until all lines are on the disk, and returns the length in bytes. */
  sync(): number {
    attempt(`write ${this.#path}`, () => this.#file.syncSync());
    return this.#length;
  }

  /**
   * Forgets what follows the first `length` bytes.
   *
   * @throws {RunError} when the file holds fewer bytes
   */
  truncate(length: number): void {
    if (length > this.#length) {
      throw new RunError(
        `Cannot continue ${this.#path}: it holds ${this.#length} bytes, ` +
          `and the checkpoint was made after ${length}`,
      );
    }
    attempt(`write ${this.#path}`, () => {
      this.#file.truncateSync(length);
      this.#file.seekSync(0, Deno.SeekMode.End);
    });
    this.#length = length;
  }

  /** Takes the file for this process alone; false when another process has it. */
  lock(): boolean {
    return this.#file.tryLockSync(true);
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file.close();
  }
}
