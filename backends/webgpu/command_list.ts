/**
 * The commands of a recorded step: calls of our programs and of tfjs's, with all that they bind.
 *
 * Invariant: nothing is left to look up, allocate or write at a replay but the uniforms that functions give.
 */

import type { CallSink, Dispatch } from "./dispatcher.ts";
import type { Command, Pipelines } from "./pipelines.ts";
import type { Program } from "./program.ts";
import { UniformPages } from "./uniform_pages.ts";

/** Commands of one submit: the device starts on the first while the next are encoded. */
const BATCH = 512;

export class CommandList implements CallSink {
  readonly #device: GPUDevice;
  readonly #pipelines: Pipelines;
  readonly #commands: Command[] = [];
  readonly #fixed: UniformPages;
  readonly #changing: UniformPages;

  /** @param acquire Makes uniform buffers that nobody else writes. */
  constructor(
    { device, pipelines }: { device: GPUDevice; pipelines: Pipelines },
    acquire: (bytes: number) => GPUBuffer,
  ) {
    this.#device = device;
    this.#pipelines = pipelines;
    this.#fixed = new UniformPages(acquire);
    this.#changing = new UniformPages(acquire);
  }

  /** Keeps a call. */
  take(program: Program, call: Dispatch): void {
    const place = this.#place(program, call.uniforms);
    this.#commands.push(this.#pipelines.command(program, call, place));
  }

  #place(program: Program, uniforms: Dispatch["uniforms"]): GPUBufferBinding {
    const changes = Object.values(uniforms).some((value) => typeof value === "function");
    return (changes ? this.#changing : this.#fixed).place(program, uniforms);
  }

  /** A stand-in for a compute pass: what is encoded into it is kept here. */
  pass(): GPUComputePassEncoder {
    let pipeline: GPUComputePipeline, bindGroup: GPUBindGroup;
    const pass = {
      setPipeline: (given: GPUComputePipeline) => pipeline = given,
      setBindGroup: (_: number, given: GPUBindGroup) => bindGroup = given,
      dispatchWorkgroups: (x: number, y: number, z: number) =>
        this.#commands.push({ pipeline, bindGroup, workgroups: [x, y, z] }),
    };
    return pass as unknown as GPUComputePassEncoder;
  }

  /** Ends the recording: the uniforms that do not change are written. */
  finish(): void {
    this.#fixed.finish(this.#device.queue);
  }

  /** Submits all commands, with the present numbers of functions. */
  replay(): void {
    const { queue } = this.#device, commands = this.#commands;
    this.#changing.write(queue);
    for (let first = 0; first < commands.length; first += BATCH) {
      const encoder = this.#device.createCommandEncoder();
      encode(commands.slice(first, first + BATCH), encoder.beginComputePass());
      queue.submit([encoder.finish()]);
    }
  }
}

function encode(commands: readonly Command[], pass: GPUComputePassEncoder): void {
  let last: GPUComputePipeline | undefined;
  for (const { pipeline, bindGroup, workgroups: [x, y, z] } of commands) {
    if (pipeline !== last) pass.setPipeline(pipeline);
    last = pipeline;
    pass.setBindGroup(0, bindGroup);
    pass.dispatchWorkgroups(x, y, z);
  }
  pass.end();
}
