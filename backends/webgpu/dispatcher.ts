/**
 * Encodes programs into the command encoder that tfjs-backend-webgpu's own kernels use, so that ours and
 * theirs run in the order of their calls.
 *
 * Invariant: what one dispatch writes, the next one sees; so a buffer may be given back as soon as its
 * last reader is encoded. Uniforms are written into a ring, before the submit that reads them: a place
 * is used again only after that submit.
 *
 * Calls that are to be kept and not to run, those of a step that is recorded, go to a sink instead.
 */

import type { HostNumber } from "../host_number.ts";
import { type Program, uniformBytes, writeUniforms } from "./program.ts";

/** What the encoding needs of the tfjs backend. */
export interface Encoder {
  readonly device: GPUDevice;
  readonly queue: GPUQueue;
  /** The open compute pass, begun if need be. */
  pass(): GPUComputePassEncoder;
  /** Ends the pass and submits what is encoded. */
  submit(): void;
  /** Told of a program that does not compile. */
  refused(program: Program, reason: string): void;
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
  workgroup?: number;
}

/** A call made ready. */
export interface Command {
  pipeline: GPUComputePipeline;
  bindGroup: GPUBindGroup;
  workgroups: readonly [x: number, y: number, z: number];
}

/** Where calls go when they do not go to the device. */
export interface CommandSink {
  /** Keeps a call's uniforms until its command runs. */
  place(program: Program, uniforms: Dispatch["uniforms"]): GPUBufferBinding;
  add(command: Command): void;
}

/** The distance that offsets of uniforms must keep. */
export const UNIFORM_ALIGNMENT = 256;
/** Bytes of the ring. */
const RING = 1 << 20;
/** Dispatches encoded before they are submitted. */
const BATCH = 512;

export class Dispatcher implements CommandSink {
  /** Takes calls in place of the device. */
  sink: CommandSink | undefined;
  readonly #encoder: Encoder;
  readonly #pipelines = new Map<Program, Pipeline>();
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
  dispatch(program: Program, { buffers, uniforms, invocations, workgroup = 64 }: Dispatch): void {
    if (invocations === 0) return;
    const { pipeline, layout } = this.#pipeline(program), { device } = this.#encoder;
    const sink = this.sink ?? this;
    const entries = [sink.place(program, uniforms), ...buffers].map((binding, index) => ({
      binding: index,
      resource: binding instanceof GPUBuffer ? { buffer: binding } : binding,
    }));
    const bindGroup = device.createBindGroup({ label: program.name, layout, entries });
    const groups = Math.ceil(invocations / workgroup);
    const wide = Math.min(groups, device.limits.maxComputeWorkgroupsPerDimension);
    sink.add({ pipeline, bindGroup, workgroups: [wide, Math.ceil(groups / wide), 1] });
  }

  place(program: Program, uniforms: Dispatch["uniforms"]): GPUBufferBinding {
    const size = uniformBytes(program);
    if (this.#next + size > RING) this.#encoder.submit();
    const offset = this.#next;
    writeUniforms(program, uniforms, new DataView(this.#staged, offset, size));
    this.#next = Math.ceil((offset + size) / UNIFORM_ALIGNMENT) * UNIFORM_ALIGNMENT;
    return { buffer: this.#ring, offset, size };
  }

  add({ pipeline, bindGroup, workgroups }: Command): void {
    const pass = this.#encoder.pass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindGroup);
    pass.dispatchWorkgroups(...workgroups);
    if (++this.#encoded >= BATCH) this.#encoder.submit();
  }

  /** Writes the uniforms of what is encoded; to be called just before each submit. */
  flushUniforms(): void {
    const { queue } = this.#encoder, bytes = Math.min(this.#next, RING);
    if (bytes > 0) queue.writeBuffer(this.#ring, 0, this.#staged, 0, bytes);
    this.#next = this.#encoded = 0;
  }

  #pipeline(program: Program): Pipeline {
    const known = this.#pipelines.get(program);
    if (known) return known;
    const { device } = this.#encoder;
    device.pushErrorScope("validation");
    const module = device.createShaderModule({ label: program.name, code: program.code });
    const pipeline = device.createComputePipeline({
      label: program.name,
      layout: "auto",
      compute: { module, entryPoint: "main" },
    });
    device.popErrorScope().then((error) => error && this.#encoder.refused(program, error.message));
    const made = { pipeline, layout: pipeline.getBindGroupLayout(0) };
    this.#pipelines.set(program, made);
    return made;
  }

  close(): void {
    this.#ring.destroy();
  }
}

interface Pipeline {
  pipeline: GPUComputePipeline;
  layout: GPUBindGroupLayout;
}
