/**
 * Encodes programs into the command encoder that tfjs-backend-webgpu's own kernels use, so that ours and
 * theirs run in the order of their calls.
 *
 * Invariant: what one dispatch writes, the next one sees; so a buffer may be given back as soon as its
 * last reader is encoded. Uniforms are written into a ring, before the submit that reads them: a place
 * is used again only after that submit.
 */

import type { HostNumber } from "../host_number.ts";
import type { Pipelines } from "./pipelines.ts";
import { type Program, uniformBytes, writeUniforms } from "./program.ts";

/** What the encoding needs of the tfjs backend. */
export interface Encoder {
  readonly device: GPUDevice;
  readonly queue: GPUQueue;
  readonly pipelines: Pipelines;
  /** The open compute pass, begun if need be. */
  pass(): GPUComputePassEncoder;
  /** Ends the pass and submits what is encoded. */
  submit(): void;
}

/** A buffer or a part of one. */
export type Binding = GPUBuffer | GPUBufferBinding;

/** A call of a program. */
export interface Dispatch {
  /** Bound at 1, 2, ... */
  buffers: readonly Binding[];
  uniforms: Readonly<Record<string, HostNumber>>;
  /** Invocations in all: they are spread over workgroups of `workgroup`, x first, then y. */
  invocations: number;
  /** Where the program fixes it; default the device's. */
  workgroup?: number;
}

/** Where calls of programs go: to the device, to a list that is kept, or to one of what is to be compiled. */
export interface CallSink {
  /** Takes a call of one invocation or more. */
  take(program: Program, call: Dispatch): void;
}

/** The distance that offsets of uniforms must keep. */
export const UNIFORM_ALIGNMENT = 256;
/** Bytes of the ring. */
const RING = 1 << 20;
/** Dispatches encoded before they are submitted. */
const BATCH = 512;

export class Dispatcher implements CallSink {
  readonly #encoder: Encoder;
  readonly #ring: GPUBuffer;
  readonly #staged = new ArrayBuffer(RING);
  /** The next free byte of the ring: those before it are for what is encoded and not submitted. */
  #next = 0;
  #encoded = 0;

  constructor(encoder: Encoder) {
    this.#encoder = encoder;
    this.#ring = encoder.device.createBuffer({
      label: "uniforms",
      size: RING,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
  }

  /** Encodes a call; it is submitted with the others of its batch. */
  take(program: Program, call: Dispatch): void {
    const place = this.#place(program, call.uniforms);
    const { pipeline, bindGroup, workgroups } = this.#encoder.pipelines.command(
      program,
      call,
      place,
    );
    const pass = this.#encoder.pass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindGroup);
    pass.dispatchWorkgroups(...workgroups);
    if (++this.#encoded >= BATCH) this.#encoder.submit();
  }

  #place(program: Program, uniforms: Dispatch["uniforms"]): GPUBufferBinding {
    const size = uniformBytes(program);
    if (this.#next + size > RING) this.#encoder.submit();
    const offset = this.#next;
    writeUniforms(program, uniforms, new DataView(this.#staged, offset, size));
    this.#next = Math.ceil((offset + size) / UNIFORM_ALIGNMENT) * UNIFORM_ALIGNMENT;
    return { buffer: this.#ring, offset, size };
  }

  /** Writes the uniforms of what is encoded; to be called just before each submit. */
  flushUniforms(): void {
    const { queue } = this.#encoder, bytes = Math.min(this.#next, RING);
    if (bytes > 0) queue.writeBuffer(this.#ring, 0, this.#staged, 0, bytes);
    this.#next = this.#encoded = 0;
  }

  close(): void {
    this.#ring.destroy();
  }
}
