/**
 * What a backend is, to everything above it: a tfjs backend that has been started, its memory account,
 * and the errors it may raise. Models never name a backend; they use tfjs ops and `backends/ops/`.
 */

import type * as tf from "@tensorflow/tfjs-core";

/** The backends of this project, in the order in which `auto` tries them. */
export const BACKEND_NAMES = ["cudnn", "webgpu", "cpu"] as const;
/** Name of a backend. */
export type BackendName = typeof BACKEND_NAMES[number];

/** The WebGPU adapters that can be asked for, the default first. */
export const ADAPTER_CHOICES = ["high-performance", "low-power", "software"] as const;
/** Which WebGPU adapter to ask for. */
export type AdapterChoice = typeof ADAPTER_CHOICES[number];

/** How activations can be kept, the default first. */
export const STORAGE_TYPES = ["f32", "f16"] as const;
/** How activations are kept. */
export type StorageType = typeof STORAGE_TYPES[number];

/** Precisions of the cudnn backend, the default first: of dense convolutions, and of what is kept. */
export const PRECISIONS = ["tf32", "fp32", "bf16"] as const;
/** TF32 (on tensor cores where the card has them) or float32; or TF32, and bf16 of results kept. */
export type Precision = typeof PRECISIONS[number];

/** How cudnn chooses the engines of its dense convolutions, the default first. */
export const ENGINE_CHOICES = ["measured", "heuristic"] as const;
/** By times on the card, kept for later processes, or by cuDNN's own estimate. */
export type EngineChoice = typeof ENGINE_CHOICES[number];

/** Memory of a backend's tensors, in bytes. */
export interface BackendMemory {
  /** Held by live tensors now. */
  current: number;
  /** Largest `current` since the start, or the last {@linkcode Backend.resetPeak}. */
  peak: number;
  /** Taken from the system, free blocks included. */
  reserved: number;
}

/** A started backend; it is tfjs's current backend until closed. */
export interface Backend {
  /** Which of the project's backends it is. */
  readonly name: BackendName;
  /** Its name in tfjs's registry. */
  readonly tfjsName: string;
  /** One line for people: device, threads, features. */
  readonly description: string;
  /** Bytes of its tensors. */
  memory(): BackendMemory;
  /** Makes the current bytes the peak. */
  resetPeak(): void;
  /** Makes a recorder of steps; absent where nothing is gained by one. */
  readonly createRecorder?: () => Recorder;
  /**
   * Compiles what the ops in `body` need, where a backend compiles at all; `body` must not read tensors,
   * whose values are undefined meanwhile. A backend whose kernels are ready has no such method.
   *
   * @param onProgress Told how many programs are compiled, of how many, where that takes long.
   * @throws {BackendError} If a program does not compile.
   */
  compileAhead?(
    body: () => void,
    onProgress: (done: number, total: number) => void,
  ): Promise<void>;
  /** Ends workers and frees memory; tensors of this backend are lost. */
  close(): void;
}

/**
 * Records steps, functions that compute the next values of some tensors, and replays them without their
 * JavaScript. Its recordings share their memory: no two run at the same time.
 */
export interface Recorder {
  /**
   * Records a step. Its function is called, but computes nothing yet: the tensors keep their values.
   *
   * @param step Deterministic but for tensors and `HostNumber`s that are functions: the same ops on the
   *   same shapes each time, no reads. It may replace tensors, such as the values of variables, and
   *   leaves no other tensor behind.
   * @param tensors Everything that it reads and that may differ at a replay, and everything that it
   *   replaces, before and after it; in one order always, no two sharing their values.
   * @throws {Error} If a tensor besides `tensors` outlives the step, or whatever the step throws; then
   *   nothing stays behind.
   */
  record(step: () => void, tensors: () => readonly tf.Tensor[]): Recording;
  /** Frees all recordings, and the memory that they share. */
  dispose(): void;
}

/** A recorded step. */
export interface Recording {
  /**
   * Runs the step on the tensors' present values, wherever those came from; they then hold its results.
   *
   * @param tensors Of the same shapes and in the same order as at the recording.
   */
  replay(tensors: readonly tf.Tensor[]): void;
}

/** Options for starting a backend. */
export interface BackendOptions {
  /** CPU threads, the caller's own included; default all cores. */
  threads?: number;
  /** Folder for compiled kernels; default `.cache` beside deno.json. */
  cacheDir?: string;
  /** Bytes of tensors the CPU backend may hold; default, and at most, 4 GB. */
  memoryLimit?: number;
  /** Whether CPU kernels use relaxed SIMD; default where the engine has it. */
  relaxedSimd?: boolean;
  /** Whether CPU kernels' tiles suit 256-bit registers; default where V8's flags give them those. */
  wideTiles?: boolean;
  /** The WebGPU adapter to ask for; default "high-performance". */
  adapter?: AdapterChoice;
  /** Whether WebGPU reductions end in sums over subgroups; default false, which any adapter can. */
  subgroups?: boolean;
  /** How WebGPU keeps the results of branches until their gradients; default "f32". */
  storage?: StorageType;
  /**
   * On cudnn, where arithmetic, statistics and weights are float32: dense convolutions are in TF32 (the
   * default) or "fp32"; "bf16" has those of TF32 and keeps results of branches as bf16.
   */
  precision?: Precision;
  /** How cudnn chooses engines of dense convolutions; default "measured". */
  engines?: EngineChoice;
}

/** A backend that cannot start or a driver call that failed: one sentence, with what to do. */
export class BackendError extends Error {
  /** Shown before the message. */
  override name = "BackendError";
  /** Whose error it is. */
  readonly backend: BackendName;

  /** An error of one sentence. */
  constructor(backend: BackendName, message: string, options?: ErrorOptions) {
    super(message, options);
    this.backend = backend;
  }
}

/** Memory that could not be had. `message` names the bytes and, where known, a batch that may fit. */
export class OutOfMemoryError extends BackendError {
  /** Shown before the message. */
  override name = "OutOfMemoryError";
  /** What the allocation asked for. */
  readonly bytesAsked: number;
  /** What live tensors held then. */
  readonly bytesInUse: number;

  /** An error that names the bytes; `limit` is what the backend may hold. */
  constructor(
    backend: BackendName,
    { bytesAsked, bytesInUse, limit }: { bytesAsked: number; bytesInUse: number; limit: number },
  ) {
    super(
      backend,
      `Cannot allocate ${bytesAsked} bytes on ${backend}: ${bytesInUse} of ${limit} bytes are in use`,
    );
    this.bytesAsked = bytesAsked;
    this.bytesInUse = bytesInUse;
  }
}

/** The largest batch expected to fit, when `batch` ran out: memory grows in proportion to it. */
export function batchToTry(error: OutOfMemoryError, batch: number): number {
  const needed = error.bytesInUse + error.bytesAsked;
  return Math.max(1, Math.floor(batch * 0.8 * error.bytesInUse / needed));
}
