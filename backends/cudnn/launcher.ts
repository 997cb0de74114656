/** Launches kernels on a card's stream; each module is compiled and loaded when first used. */

import { ArgumentBuffer, type KernelArguments } from "./arguments.ts";
import type { CudaCompiler } from "./compiler.ts";
import type { CudaDevice } from "./device.ts";
import { createHandle, cString, type Handle } from "./ffi/memory.ts";
import type { CudaKernel, CudaModule } from "./module.ts";

/** A call of a kernel. */
export interface Launch {
  /** Blocks along x, or along x, y and z; nothing is launched where one of them is 0. */
  blocks: number | readonly [number, number, number];
  /** Threads of a block, along x. */
  threads: number;
  /** Bytes of dynamic shared memory. */
  sharedBytes?: number;
  /** By the names of the parameters. */
  arguments: KernelArguments;
}

interface LoadedKernel {
  function: bigint;
  buffer: ArgumentBuffer;
}

export class Launcher implements Disposable {
  readonly #device: CudaDevice;
  readonly #compiler: CudaCompiler;
  readonly #modules = new Map<CudaModule, Handle>();
  readonly #kernels = new Map<CudaKernel, LoadedKernel>();

  constructor(device: CudaDevice, compiler: CudaCompiler) {
    this.#device = device;
    this.#compiler = compiler;
  }

  /**
   * Puts a call into the stream.
   *
   * @throws {TypeError} If an argument is missing, unknown or of the wrong kind.
   * @throws {BackendError} If the module does not compile, or the driver refuses the call.
   */
  launch(kernel: CudaKernel, call: Launch): void {
    const { blocks, threads, sharedBytes = 0 } = call;
    const [x, y, z] = typeof blocks === "number" ? [blocks, 1, 1] : blocks;
    const { function: handle, buffer } = this.#kernels.get(kernel) ?? this.#load(kernel);
    buffer.write(call.arguments);
    if (x === 0 || y === 0 || z === 0) return;
    const device = this.#device, { cuda } = device.libraries;
    const status = cuda.cuLaunchKernel(
      handle,
      x,
      y,
      z,
      threads,
      1,
      1,
      sharedBytes,
      device.stream,
      buffer.table,
      null,
    );
    if (status !== 0) {
      const size = `${x} x ${y} x ${z} blocks of ${threads} threads`;
      device.check(status, `cuLaunchKernel of ${kernel.name} with ${size} after ${device.last}`);
    }
    device.last = kernel.name;
  }

  #load(kernel: CudaKernel): LoadedKernel {
    const { cuda } = this.#device.libraries, handle = new BigUint64Array(1);
    const module = this.#modules.get(kernel.module) ?? this.#loadModule(kernel.module);
    this.#device.check(
      cuda.cuModuleGetFunction(handle, module.address, cString(kernel.name)),
      `cuModuleGetFunction of ${kernel.name}`,
    );
    const loaded = { function: handle[0], buffer: new ArgumentBuffer(kernel) };
    this.#kernels.set(kernel, loaded);
    return loaded;
  }

  #loadModule(module: CudaModule): Handle {
    const { cuda } = this.#device.libraries, binary = this.#compiler.compile(module);
    const handle = createHandle(
      (out) =>
        this.#device.check(
          cuda.cuModuleLoadData(out, binary),
          `cuModuleLoadData of ${module.name}`,
        ),
      (address) => this.#device.checkRelease(cuda.cuModuleUnload(address), "cuModuleUnload"),
    );
    this.#modules.set(module, handle);
    return handle;
  }

  /** Unloads all modules. */
  [Symbol.dispose](): void {
    for (const module of this.#modules.values()) module[Symbol.dispose]();
    this.#modules.clear();
    this.#kernels.clear();
  }
}
