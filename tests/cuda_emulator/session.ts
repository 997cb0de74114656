/** Kernels, memory and streams of the emulated device, in few words, for the emulator's own tests. */

import { CUDA_VALUES } from "../../backends/cudnn/ffi/cuda.ts";
import { addressOf, createHandle, cString, cText } from "../../backends/cudnn/ffi/memory.ts";
import type { Libraries } from "../../backends/cudnn/ffi/open.ts";
import { checkCuda, checkNvrtc } from "../../backends/cudnn/ffi/status.ts";
import {
  EMULATOR_ABSENT,
  type EmulatorControl,
  emulatorControl,
  openEmulator,
} from "./emulator.ts";

/** A kernel's argument: an address, or a scalar of a type. */
export type Argument = bigint | { int: number } | { float: number };

/** How a kernel is launched; three sizes are x, y and z. */
export interface Launch {
  blocks: number | [number, number, number];
  threads: number | [number, number, number];
  sharedBytes?: number;
  arguments: Argument[];
  stream?: bigint;
}

/** Values with 4 bytes each. */
export type Values = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

/** The emulated device with its context current on this thread. */
export class Session {
  readonly libraries: Libraries;
  readonly control: EmulatorControl;

  constructor(libraries: Libraries, control: EmulatorControl) {
    const { cuda } = libraries, context = new BigUint64Array(1);
    this.libraries = libraries;
    this.control = control;
    control.reset();
    this.check(cuda.cuInit(0), "cuInit");
    this.check(cuda.cuDevicePrimaryCtxRetain(context, 0), "cuDevicePrimaryCtxRetain");
    this.check(cuda.cuCtxSetCurrent(context[0]), "cuCtxSetCurrent");
  }

  check(status: number, call: string): void {
    checkCuda(this.libraries.cuda, status, call);
  }

  /** Compiles CUDA C and loads it; the function gives a kernel's handle by its name. */
  load(source: string, options: string[] = []): (kernel: string) => bigint {
    const { cuda } = this.libraries;
    const module = this.#handle((out) =>
      this.check(cuda.cuModuleLoadData(out, this.compile(source, options)), "cuModuleLoadData")
    );
    return (kernel) =>
      this.#handle((out) =>
        this.check(cuda.cuModuleGetFunction(out, module, cString(kernel)), "cuModuleGetFunction")
      );
  }

  /** @throws {Error} With NVRTC's log if the source is wrong. */
  compile(source: string, options: string[] = []): Uint8Array<ArrayBuffer> {
    const { nvrtc } = this.libraries, texts = options.map(cString);
    using program = createHandle(
      (out) => {
        const created = nvrtc.nvrtcCreateProgram(
          out,
          cString(source),
          cString("test.cu"),
          0,
          null,
          null,
        );
        checkNvrtc(nvrtc, created, "nvrtcCreateProgram");
      },
      (address) => nvrtc.nvrtcDestroyProgram(BigUint64Array.of(address)),
    );
    const list = BigUint64Array.from(texts, addressOf);
    const status = nvrtc.nvrtcCompileProgram(program.address, texts.length, list);
    const size = new BigUint64Array(1);
    if (status !== 0) {
      checkNvrtc(
        nvrtc,
        nvrtc.nvrtcGetProgramLogSize(program.address, size),
        "nvrtcGetProgramLogSize",
      );
      const log = new Uint8Array(Number(size[0]));
      checkNvrtc(nvrtc, nvrtc.nvrtcGetProgramLog(program.address, log), "nvrtcGetProgramLog");
      throw new Error(cText(log));
    }
    checkNvrtc(nvrtc, nvrtc.nvrtcGetCUBINSize(program.address, size), "nvrtcGetCUBINSize");
    const image = new Uint8Array(Number(size[0]));
    checkNvrtc(nvrtc, nvrtc.nvrtcGetCUBIN(program.address, image), "nvrtcGetCUBIN");
    return image;
  }

  /** Enqueues a kernel. */
  launch(
    kernel: bigint,
    { blocks, threads, sharedBytes = 0, arguments: values, stream = 0n }: Launch,
  ) {
    const slots = new DataView(new ArrayBuffer(8 * values.length));
    values.forEach((value, index) => {
      if (typeof value === "bigint") slots.setBigUint64(8 * index, value, true);
      else if ("int" in value) slots.setInt32(8 * index, value.int, true);
      else slots.setFloat32(8 * index, value.float, true);
    });
    const base = values.length > 0 ? addressOf(slots) : 0n;
    const pointers = BigUint64Array.from(values, (_, index) => base + BigInt(8 * index));
    const [gridX, gridY, gridZ] = typeof blocks === "number" ? [blocks, 1, 1] : blocks;
    const [x, y, z] = typeof threads === "number" ? [threads, 1, 1] : threads;
    const { cuda } = this.libraries;
    this.check(
      cuda.cuLaunchKernel(
        kernel,
        gridX,
        gridY,
        gridZ,
        x,
        y,
        z,
        sharedBytes,
        stream,
        pointers,
        null,
      ),
      "cuLaunchKernel",
    );
  }

  allocate(bytes: number): bigint {
    const { cuda } = this.libraries;
    return this.#handle((out) => this.check(cuda.cuMemAlloc_v2(out, BigInt(bytes)), "cuMemAlloc"));
  }

  /** Device memory with these values. */
  upload(values: Values): bigint {
    const address = this.allocate(values.byteLength);
    this.check(
      this.libraries.cuda.cuMemcpyHtoD_v2(address, values, BigInt(values.byteLength)),
      "cuMemcpyHtoD",
    );
    return address;
  }

  /** Fills `to` and returns it. */
  download<T extends Values>(address: bigint, to: T): T {
    this.check(
      this.libraries.cuda.cuMemcpyDtoH_v2(to, address, BigInt(to.byteLength)),
      "cuMemcpyDtoH",
    );
    return to;
  }

  stream(): bigint {
    const { cuda } = this.libraries;
    return this.#handle((out) =>
      this.check(cuda.cuStreamCreate(out, CUDA_VALUES.CU_STREAM_NON_BLOCKING), "cuStreamCreate")
    );
  }

  #handle(create: (out: BigUint64Array<ArrayBuffer>) => void): bigint {
    const out = new BigUint64Array(1);
    create(out);
    return out[0];
  }

  /** Ends the context, and with it all memory. */
  [Symbol.dispose](): void {
    this.control.reset();
    this.check(this.libraries.cuda.cuDevicePrimaryCtxRelease_v2(0), "cuDevicePrimaryCtxRelease");
  }
}

let opened: { libraries: Libraries; control: EmulatorControl } | undefined;
if (EMULATOR_ABSENT) console.log(`skipping tests of the CUDA emulator: ${EMULATOR_ABSENT}`);

/** Registers a test with a session of its own; ignored where there is no emulator. */
export function emulatorTest(name: string, body: (session: Session) => void | Promise<void>): void {
  Deno.test({
    name,
    ignore: EMULATOR_ABSENT !== undefined,
    sanitizeResources: false, // the libraries stay open
    fn: async () => {
      opened ??= { libraries: await openEmulator(), control: emulatorControl() };
      using session = new Session(opened.libraries, opened.control);
      await body(session);
    },
  });
}
