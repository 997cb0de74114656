/** Compiled programs, and calls of them made ready. */

import type { Dispatch } from "./dispatcher.ts";
import type { Program } from "./program.ts";

/** A call made ready. */
export interface Command {
  pipeline: GPUComputePipeline;
  bindGroup: GPUBindGroup;
  workgroups: readonly [x: number, y: number, z: number];
}

/** A compiled program. */
interface Pipeline {
  pipeline: GPUComputePipeline;
  layout: GPUBindGroupLayout;
}

/** What compiling needs. */
export interface Compiler {
  readonly device: GPUDevice;
  /** Invocations of a workgroup. */
  readonly workgroup: number;
  /** Told of a program that does not compile. */
  refused(program: Program, reason: string): void;
}

export class Pipelines {
  readonly #compiler: Compiler;
  readonly #pipelines = new Map<Program, Pipeline>();

  constructor(compiler: Compiler) {
    this.#compiler = compiler;
  }

  /** A call made ready, with its uniforms where they are or will be; compiles the program if need be. */
  command(
    program: Program,
    { buffers, invocations, workgroup = this.#compiler.workgroup }: Dispatch,
    uniforms: GPUBufferBinding,
  ): Command {
    const { pipeline, layout } = this.#pipeline(program), { device } = this.#compiler;
    const entries = [uniforms, ...buffers].map((binding, index) => ({
      binding: index,
      resource: binding instanceof GPUBuffer ? { buffer: binding } : binding,
    }));
    const bindGroup = device.createBindGroup({ label: program.name, layout, entries });
    const groups = Math.ceil(invocations / workgroup);
    const wide = Math.min(groups, device.limits.maxComputeWorkgroupsPerDimension);
    return { pipeline, bindGroup, workgroups: [wide, Math.ceil(groups / wide), 1] };
  }

  /** Whether a program is compiled. */
  has(program: Program): boolean {
    return this.#pipelines.has(program);
  }

  #pipeline(program: Program): Pipeline {
    const known = this.#pipelines.get(program);
    if (known) return known;
    const { device, workgroup } = this.#compiler;
    device.pushErrorScope("validation");
    const module = device.createShaderModule({ label: program.name, code: program.code });
    const pipeline = device.createComputePipeline({
      label: program.name,
      layout: "auto",
      compute: { module, entryPoint: "main", constants: { WORKGROUP: workgroup } },
    });
    device.popErrorScope().then((error) => error && this.#compiler.refused(program, error.message));
    const made = { pipeline, layout: pipeline.getBindGroupLayout(0) };
    this.#pipelines.set(program, made);
    return made;
  }
}
