/**
 * Kernels in CUDA C: the text of a file, and what its kernels are called with.
 *
 * Every kernel is `extern "C" __global__ void name(...)`; its parameters are pointers, int, unsigned int
 * or float, and are read from its signature, so that a call names its arguments and none can be of
 * another type or order. Shapes are arguments: one compiled kernel serves all of them.
 */

/** A text that is compiled at once. */
export interface CudaModule {
  /** Shown in errors and profiles. */
  readonly name: string;
  readonly source: string;
  /**
   * A kernel of it, always the same object.
   *
   * @throws {TypeError} If there is none of that name.
   */
  kernel(name: string): CudaKernel;
}

/** A function that runs on the card. */
export interface CudaKernel {
  readonly module: CudaModule;
  readonly name: string;
  readonly parameters: readonly KernelParameter[];
}

/** A parameter of a kernel, in order. */
export interface KernelParameter {
  readonly name: string;
  readonly type: ParameterType;
}

/** What a parameter may be. A pointer's argument is an address on the card. */
export type ParameterType = "pointer" | "int" | "unsigned int" | "float";

const modules: CudaModule[] = [];

/** All modules so far, those of a file from its import on: what a card would have to compile. */
export function cudaModules(): readonly CudaModule[] {
  return modules;
}

const KERNEL =
  /extern\s+"C"\s+__global__\s+void\s+(?:__launch_bounds__\s*\([^)]*\)\s*)?(\w+)\s*\(([^)]*)\)/g;
const COMMENTS = /\/\/.*$|\/\*[^]*?\*\//gm;
const POINTER = /^(?:const\s+)?[\w\s]+\*\s*(?:__restrict__\s+)?(\w+)$/;
const SCALAR = /^(int|unsigned int|float)\s+(\w+)$/;

/**
 * A module from its CUDA C, such as a `.cu` file imported as text, or a common text and one.
 *
 * @throws {TypeError} If it has no kernel, or one with a parameter of another type.
 */
export function cudaModule(name: string, source: string): CudaModule {
  const kernels = new Map<string, CudaKernel>();
  const module: CudaModule = {
    name,
    source,
    kernel: (key) => {
      const kernel = kernels.get(key);
      if (!kernel) throw new TypeError(`CUDA module ${name} has no kernel ${key}`);
      return kernel;
    },
  };
  for (const [, key, list] of source.replace(COMMENTS, "").matchAll(KERNEL)) {
    kernels.set(key, { module, name: key, parameters: parametersOf(key, list) });
  }
  if (kernels.size === 0) throw new TypeError(`CUDA module ${name} has no kernel`);
  modules.push(module);
  return module;
}

function parametersOf(kernel: string, list: string): KernelParameter[] {
  return list.split(",").map((text) => text.trim().replace(/\s+/g, " ")).map((text) => {
    const pointer = text.match(POINTER);
    if (pointer) return { name: pointer[1], type: "pointer" };
    const [, type, name] = text.match(SCALAR) ?? [];
    if (!type) throw new TypeError(`CUDA kernel ${kernel}: cannot use the parameter "${text}"`);
    return { name, type: type as ParameterType };
  });
}
