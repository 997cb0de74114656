/**
 * Reads the weights of a network from whatever a person has: a file of PyTorch's of either format, a
 * safetensors file, or the folder of a training run. What a file is, its content says.
 */

import { attempt, RunError } from "../../nn/run_files.ts";
import { decodeSafetensors, type HostTensor } from "../../nn/safetensors.ts";
import type { StateDict } from "../../nn/state_dict.ts";
import { withoutWrapperPrefixes } from "./find_state_dict.ts";
import { decodeTorchFile, isTorchFile } from "./torch_file.ts";
import { failWeights, printableReason } from "./weights_error.ts";

/** The weights of a training run's best epoch, in its folder. */
export const BEST_WEIGHTS_FILE = "best.safetensors";
/** Bytes of a file at most: weights, momenta and averages of a large network take 0.2 GB. */
const SIZE_LIMIT = 2 ** 31;

/** A file of weights as read. */
export interface WeightsFile {
  /** The file; for a run folder, the one in it. */
  readonly path: string;
  /** Float numbers as float32, by names without the prefixes of wrappers, in the file's order. */
  readonly weights: StateDict;
  /** What a safetensors file tells besides; empty for others. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Reads the bytes of a file that is one, and not too large. */
function readBytes(path: string): Uint8Array<ArrayBuffer> {
  return attempt(`load ${path}`, () => {
    const { isFile, size } = Deno.statSync(path);
    if (!isFile) throw new RunError(`Cannot load ${path}: it is neither a file nor a folder`);
    if (size > SIZE_LIMIT) {
      throw new RunError(
        `Cannot load ${path}: it takes ${size} bytes, and at most ${SIZE_LIMIT} are read`,
      );
    }
    return Deno.readFileSync(path);
  });
}

/** The file that a path means. */
function fileOf(path: string): string {
  if (!attempt(`load ${path}`, () => Deno.statSync(path)).isDirectory) return path;
  const best = `${path.replace(/\/+$/, "")}/${BEST_WEIGHTS_FILE}`;
  try {
    Deno.statSync(best);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new RunError(
      `Cannot load ${path}: the folder holds no ${BEST_WEIGHTS_FILE}, which a training run leaves`,
    );
  }
  return best;
}

/** Whether the bytes begin as a safetensors file does: with a length, and JSON of an object. */
function isSafetensors(bytes: Uint8Array): boolean {
  return bytes.length > 8 && bytes[7] === 0 && bytes[6] === 0 && bytes[8] === 0x7b;
}

/** The tensors in the bytes of a file. */
async function decode(
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Pick<WeightsFile, "weights" | "metadata">> {
  if (isTorchFile(bytes)) return { weights: await decodeTorchFile(bytes), metadata: {} };
  if (!isSafetensors(bytes)) {
    failWeights(
      bytes.length === 0 ? "it is empty" : "it is neither a file of PyTorch's nor safetensors",
    );
  }
  const { tensors, metadata } = decodeSafetensors(bytes);
  return { weights: tensors, metadata };
}

/** A tensor with its doubles rounded to float32. */
function inSinglePrecision({ shape, data }: HostTensor): HostTensor {
  return { shape, data: data instanceof Float64Array ? new Float32Array(data) : data };
}

/**
 * Reads a file of weights, or that of a training run's best epoch.
 *
 * @param path A file or a run folder.
 * @throws {RunError} If there is none, or it is truncated, damaged, or holds what no state dict does.
 */
export async function readWeightsFile(path: string): Promise<WeightsFile> {
  const file = fileOf(path), bytes = readBytes(file);
  try {
    const { weights, metadata } = await decode(bytes);
    const list = [...withoutWrapperPrefixes(weights)]
      .map(([name, tensor]): [string, HostTensor] => [name, inSinglePrecision(tensor)]);
    return { path: file, weights: new Map(list), metadata };
  } catch (error) {
    const reason = (error as Error).message.replace(/^Cannot read safetensors: /, "");
    throw new RunError(`Cannot load ${file}: ${printableReason(reason)}`, { cause: error });
  }
}

/**
 * The weights of {@linkcode readWeightsFile} alone.
 *
 * @throws {RunError} As that does.
 */
export async function readWeights(path: string): Promise<StateDict> {
  return (await readWeightsFile(path)).weights;
}
