/**
 * Compiles programs before a stage needs them.
 *
 * Which ones is not listed anywhere: the stage's steps run once with their calls noted and not encoded,
 * so that exactly their programs are compiled, and tfjs's own pipelines with them. Each program then runs
 * once on nothing, since software Vulkan makes machine code only when a program first runs.
 *
 * Deno 2.9.6 compiles on the calling thread, `createComputePipelineAsync` included. Where compiling
 * takes long, other threads therefore compile the longest programs on devices of their own while this
 * thread takes the shortest first; drivers keep what they compile in a cache on disk, and this thread
 * finds it there. Without such a cache the others' work is in vain, and this thread compiles all.
 */

import type { AdapterChoice } from "../contract.ts";
import { granted } from "../permissions.ts";
import type { WebGpuBackend } from "./backend.ts";
import type { CompileJob, JobProgram } from "./compile_worker.ts";
import type { Dispatch } from "./dispatcher.ts";
import { Scratch } from "./kernels/scratch.ts";
import { type Program, uniformBytes } from "./program.ts";

/** Milliseconds after which progress is shown and other threads help: a filled cache needs fewer. */
const PATIENCE = 1000;
/** Other threads at most. */
const MOST_HELPERS = 3;
/** Floats of a buffer for a program that has nothing to do. */
const UNREAD = 256;

/** What {@linkcode compileAhead} needs to know. */
export interface CompileOptions {
  /** The adapter that the backend was asked for; helpers ask for the same. */
  adapter: AdapterChoice;
  /** Told how many programs are compiled, of how many, once it takes long. */
  onProgress(done: number, total: number): void;
  /** Milliseconds that are not long; default 1000. */
  patience?: number;
}

/** Programs, and how many storage buffers each binds. */
type Programs = ReadonlyMap<Program, number>;

/**
 * Compiles what the calls in `body` need. They are not encoded: tensors that `body` makes have undefined
 * values.
 *
 * @throws {BackendError} If a program does not compile, which is named, or the device fails.
 */
export async function compileAhead(
  backend: WebGpuBackend,
  body: () => void,
  { adapter, onProgress, patience = PATIENCE }: CompileOptions,
): Promise<void> {
  const programs = missingPrograms(backend, body);
  const all = [...programs].sort(([a], [b]) => a.code.length - b.code.length);
  const started = performance.now();
  using scratch = new Scratch(backend);
  const unread = Array.from(
    { length: Math.max(...programs.values(), 0) },
    () => scratch.floats(UNREAD),
  );
  let helpers: Worker[] | undefined;
  try {
    for (const [index, [program, buffers]] of all.entries()) {
      const uniforms = Object.fromEntries(program.uniforms.map(({ name }) => [name, 0]));
      backend.run(program, { buffers: unread.slice(0, buffers), uniforms, invocations: 1 });
      backend.submitAll();
      if (performance.now() - started < patience) continue;
      helpers ??= startHelpers(all.slice(index + 1).reverse(), {
        adapter,
        device: {
          limits: backend.limits,
          subgroups: backend.subgroupSize > 0,
          storage: backend.device.features.has("shader-f16") ? "f16" : "f32",
        },
        workgroup: backend.workgroup,
        bufferBytes: 4 * UNREAD,
      });
      onProgress(index + 1, all.length);
    }
    await backend.finish();
  } finally {
    helpers?.forEach((helper) => helper.postMessage("stop"));
  }
}

/** The programs that `body` calls and that are not compiled yet. */
function missingPrograms(backend: WebGpuBackend, body: () => void): Programs {
  const missing = new Map<Program, number>();
  const take = (program: Program, { buffers }: Dispatch) => {
    if (!backend.pipelines.has(program)) missing.set(program, buffers.length);
  };
  backend.sending({ take }, body);
  return missing;
}

/** A helper's module. */
const HELPER = new URL("./compile_worker.ts", import.meta.url);

/**
 * Starts threads that share the programs, where their module may be read; one that fails leaves its
 * share to the caller.
 */
function startHelpers(
  missing: readonly [Program, number][],
  job: Omit<CompileJob, "programs">,
): Worker[] {
  if (!granted({ name: "read", path: HELPER })) return [];
  const count = Math.min(MOST_HELPERS, navigator.hardwareConcurrency - 1, missing.length);
  const programs = missing.map(([program, buffers]): JobProgram => ({
    code: program.code,
    uniformBytes: uniformBytes(program),
    buffers,
  }));
  return Array.from({ length: count }, (_, index) => {
    const helper = new Worker(HELPER, { type: "module" });
    helper.onerror = (event) => event.preventDefault();
    const share = programs.filter((_, at) => at % count === index);
    helper.postMessage({ ...job, programs: share } satisfies CompileJob);
    return helper;
  });
}
