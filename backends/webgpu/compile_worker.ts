/**
 * A thread that compiles programs on a device of its own, for the driver's cache on disk: it gets one
 * {@linkcode CompileJob}, and ends when that is done or it is told to stop.
 */

/// <reference lib="deno.worker" />

import type { AdapterChoice } from "../contract.ts";
import { type DeviceOptions, openDevice } from "./device.ts";

/** What a thread is to compile, in order. */
export interface CompileJob {
  adapter: AdapterChoice;
  device: DeviceOptions;
  /** Invocations of a workgroup. */
  workgroup: number;
  /** Of each storage buffer. */
  bufferBytes: number;
  programs: readonly JobProgram[];
}

/** A program and what it binds. */
export interface JobProgram {
  code: string;
  uniformBytes: number;
  /** Storage buffers. */
  buffers: number;
}

self.onmessage = async ({ data: job }: MessageEvent<CompileJob>) => {
  self.onmessage = () => self.close();
  const { device } = await openDevice(job.adapter, job.device);
  for (const program of job.programs) {
    compile(device, program, job);
    await new Promise((resolve) => setTimeout(resolve)); // lets a "stop" in
  }
  self.close();
};

/** Makes a pipeline and runs one workgroup of it: all its sizes are 0, so that it has nothing to do. */
function compile(
  device: GPUDevice,
  { code, uniformBytes, buffers }: JobProgram,
  { workgroup, bufferBytes }: CompileJob,
): void {
  const module = device.createShaderModule({ code });
  const pipeline = device.createComputePipeline({
    layout: "auto",
    compute: { module, entryPoint: "main", constants: { WORKGROUP: workgroup } },
  });
  const bound = [
    device.createBuffer({ size: uniformBytes, usage: GPUBufferUsage.UNIFORM }),
    ...Array.from(
      { length: buffers },
      () => device.createBuffer({ size: bufferBytes, usage: GPUBufferUsage.STORAGE }),
    ),
  ];
  const entries = bound.map((buffer, binding) => ({ binding, resource: { buffer } }));
  const encoder = device.createCommandEncoder(), pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(
    0,
    device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }),
  );
  pass.dispatchWorkgroups(1);
  pass.end();
  device.queue.submit([encoder.finish()]);
  for (const buffer of bound) buffer.destroy();
}
