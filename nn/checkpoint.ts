/**
 * Checkpoints: a run's whole state in one safetensors file with a digest, and the one before it.
 *
 * A folder holds `checkpoint.safetensors` and, from the second on, `checkpoint.previous.safetensors`.
 * Invariants: at any moment, also while one is written, a whole checkpoint is on the disk under one of
 * the two names; a file is believed only if its SHA-256 agrees. The digest stands in the metadata and is
 * taken over the whole file with 64 zeros in its place.
 */

import { attempt, isThere, RunError, writeTemporary } from "./run_files.ts";
import { decodeSafetensors, encodeSafetensors, type HostTensor } from "./safetensors.ts";

/** The name of the newest checkpoint in its folder. */
export const CHECKPOINT_FILE = "checkpoint.safetensors";
/** The name of the checkpoint before it. */
export const PREVIOUS_CHECKPOINT_FILE = "checkpoint.previous.safetensors";
/** The name that a damaged newest checkpoint is given, so that the next one does not replace a whole one by it. */
export const DAMAGED_CHECKPOINT_FILE = "checkpoint.damaged.safetensors";

const NO_DIGEST = "0".repeat(64);

/** A run's state: numbers, text and positions as JSON, and tensors by name. */
export interface Checkpoint {
  /** Anything that JSON holds. */
  readonly state: unknown;
  /** Weights, statistics and optimiser state. */
  readonly tensors: ReadonlyMap<string, HostTensor>;
}

/** What {@linkcode readCheckpoint} found. */
export interface FoundCheckpoint {
  /** The newest whole one. */
  readonly checkpoint: Checkpoint;
  /** Sentences for the user: which checkpoint was not usable, and why. */
  readonly notes: readonly string[];
}

/**
 * Writes a checkpoint; the newest so far becomes the previous one.
 *
 * @param folder An existing folder.
 * @throws {RunError} when it cannot be written; the former ones are unharmed
 */
export async function writeCheckpoint(folder: string, checkpoint: Checkpoint): Promise<void> {
  const path = `${folder}/${CHECKPOINT_FILE}`;
  const temporary = writeTemporary(path, await encodeCheckpoint(checkpoint));
  attempt(`write ${path}`, () => {
    if (isThere(path)) Deno.renameSync(path, `${folder}/${PREVIOUS_CHECKPOINT_FILE}`);
    Deno.renameSync(temporary, path);
  });
}

/**
 * Reads the newest checkpoint of a folder, or the one before it where that is missing or damaged; a
 * damaged one is then set aside as {@linkcode DAMAGED_CHECKPOINT_FILE}.
 *
 * @returns undefined where the folder has no checkpoint
 * @throws {RunError} when there are checkpoints, and none is whole
 */
export async function readCheckpoint(folder: string): Promise<FoundCheckpoint | undefined> {
  const names = [CHECKPOINT_FILE, PREVIOUS_CHECKPOINT_FILE]
    .filter((name) => isThere(`${folder}/${name}`));
  if (names.length === 0) return undefined;
  const reasons: string[] = [];
  for (const name of names) {
    try {
      const bytes = Deno.readFileSync(`${folder}/${name}`);
      const checkpoint = await decodeCheckpoint(bytes);
      if (reasons.length > 0) setAside(folder);
      const notes = reasons.map((reason) =>
        `${reason}: continuing from the one before it, ${name}`
      );
      return { checkpoint, notes };
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) throw error;
      reasons.push(`${name} is damaged (${(error as Error).message})`);
    }
  }
  throw new RunError(`Cannot resume ${folder}: ${reasons.join(", and ")}`);
}

function setAside(folder: string): void {
  const path = `${folder}/${CHECKPOINT_FILE}`;
  attempt(`set ${path} aside`, () => Deno.renameSync(path, `${folder}/${DAMAGED_CHECKPOINT_FILE}`));
}

/** Whether a folder has a checkpoint, whole or not. */
export function hasCheckpoint(folder: string): boolean {
  return [CHECKPOINT_FILE, PREVIOUS_CHECKPOINT_FILE].some((name) => isThere(`${folder}/${name}`));
}

/** A checkpoint as the bytes of its file. */
export async function encodeCheckpoint(
  { state, tensors }: Checkpoint,
): Promise<Uint8Array<ArrayBuffer>> {
  const metadata = { sha256: NO_DIGEST, format: "pdarts-checkpoint", state: JSON.stringify(state) };
  const bytes = encodeSafetensors(tensors, metadata);
  const place = digestPlace(bytes, NO_DIGEST);
  bytes.set(new TextEncoder().encode(await sha256(bytes)), place);
  return bytes;
}

/**
 * A checkpoint from the bytes of its file.
 *
 * @throws {SyntaxError} when the bytes are not those that were written
 */
export async function decodeCheckpoint(bytes: Uint8Array<ArrayBuffer>): Promise<Checkpoint> {
  const { tensors, metadata } = decodeSafetensors(bytes);
  if (metadata.format !== "pdarts-checkpoint" || !/^[0-9a-f]{64}$/.test(metadata.sha256)) {
    throw new SyntaxError("it is not a checkpoint of this program");
  }
  const blank = bytes.slice();
  const place = digestPlace(bytes, metadata.sha256);
  blank.set(new TextEncoder().encode(NO_DIGEST), place);
  if (await sha256(blank) !== metadata.sha256) throw new SyntaxError("its digest does not agree");
  return { state: JSON.parse(metadata.state), tensors };
}

/** Where the digest stands: it is the first value of the metadata, which is first in the header. */
function digestPlace(bytes: Uint8Array, digest: string): number {
  const before = '{"__metadata__":{"sha256":"';
  const start = new TextDecoder().decode(bytes.subarray(8, 8 + before.length + digest.length));
  if (start !== before + digest) throw new SyntaxError("its header is not as written");
  return 8 + before.length;
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
