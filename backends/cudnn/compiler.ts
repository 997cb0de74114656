/**
 * Compiles CUDA C for the card that was found, with NVRTC: machine code of its compute capability, kept
 * in a cache folder under the digest of text, options, card and NVRTC's version. Without the cache, which
 * may be lacking, a module takes a tenth of a second.
 */

import { createHash } from "node:crypto";
import { BackendError } from "../contract.ts";
import { addressOf, createHandle, cString, cText } from "./ffi/memory.ts";
import { type Nvrtc, NVRTC_VALUES } from "./ffi/nvrtc.ts";
import { checkNvrtc } from "./ffi/status.ts";
import type { CudaModule } from "./module.ts";

/** A card, as code is compiled for it. */
export interface CompilerTarget {
  readonly name: string;
  readonly limits: { readonly computeCapability: readonly [major: number, minor: number] };
}

export class CudaCompiler {
  readonly #nvrtc: Nvrtc;
  readonly #cacheDir: string;
  readonly #options: readonly string[];
  /** What tells binaries of one text apart. */
  readonly #target: string;

  /** @param cacheDir Folder for binaries; made if need be. */
  constructor(nvrtc: Nvrtc, { name, limits }: CompilerTarget, cacheDir: string) {
    const [major, minor] = limits.computeCapability;
    this.#nvrtc = nvrtc;
    this.#cacheDir = cacheDir;
    this.#options = [`--gpu-architecture=sm_${major}${minor}`, "--std=c++17"];
    const version = [new Int32Array(1), new Int32Array(1)];
    checkNvrtc(nvrtc, nvrtc.nvrtcVersion(version[0], version[1]), "nvrtcVersion");
    this.#target = [name, version.join("."), ...this.#options].join("\n");
  }

  /**
   * A module's machine code.
   *
   * @throws {BackendError} If the text does not compile: the first error in NVRTC's words.
   */
  compile(module: CudaModule): Uint8Array<ArrayBuffer> {
    const path = `${this.#cacheDir}/${this.#digest(module)}.cubin`;
    const kept = readIfThere(path);
    if (kept) return kept;
    const binary = this.#run(module);
    writeIfPossible(path, binary);
    return binary;
  }

  #digest({ source }: CudaModule): string {
    const text = `${this.#target}\n${source}`;
    return createHash("sha256").update(text).digest("hex").slice(0, 24);
  }

  #run({ name, source }: CudaModule): Uint8Array<ArrayBuffer> {
    const nvrtc = this.#nvrtc, title = cString(`${name.replaceAll(/\W+/g, "_")}.cu`);
    using program = createHandle(
      (out) =>
        checkNvrtc(
          nvrtc,
          nvrtc.nvrtcCreateProgram(out, cString(source), title, 0, null, null),
          "nvrtcCreateProgram",
        ),
      (address) => {
        const out = BigUint64Array.of(address);
        checkNvrtc(nvrtc, nvrtc.nvrtcDestroyProgram(out), "nvrtcDestroyProgram");
      },
    );
    const options = this.#options.map(cString);
    const addresses = BigUint64Array.from(options, addressOf);
    const status = nvrtc.nvrtcCompileProgram(program.address, options.length, addresses);
    if (status === NVRTC_VALUES.NVRTC_ERROR_COMPILATION) {
      throw new BackendError(
        "cudnn",
        `Cannot compile ${name}: ${this.#firstError(program.address)}`,
      );
    }
    checkNvrtc(nvrtc, status, `nvrtcCompileProgram of ${name}`);
    const size = new BigUint64Array(1);
    checkNvrtc(nvrtc, nvrtc.nvrtcGetCUBINSize(program.address, size), "nvrtcGetCUBINSize");
    const binary = new Uint8Array(Number(size[0]));
    checkNvrtc(nvrtc, nvrtc.nvrtcGetCUBIN(program.address, binary), "nvrtcGetCUBIN");
    return binary;
  }

  #firstError(program: bigint): string {
    const nvrtc = this.#nvrtc, size = new BigUint64Array(1);
    checkNvrtc(nvrtc, nvrtc.nvrtcGetProgramLogSize(program, size), "nvrtcGetProgramLogSize");
    const log = new Uint8Array(Number(size[0]));
    checkNvrtc(nvrtc, nvrtc.nvrtcGetProgramLog(program, log), "nvrtcGetProgramLog");
    const lines = cText(log).split("\n").map((line) => line.trim());
    return lines.find((line) => line.includes("error")) ?? lines[0];
  }
}

function readIfThere(path: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Deno.readFileSync(path);
  } catch {
    return undefined;
  }
}

/** Renames into place, so that another process never reads half a binary. */
function writeIfPossible(path: string, binary: Uint8Array): void {
  const draft = `${path}.${crypto.randomUUID()}`;
  try {
    Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    Deno.writeFileSync(draft, binary);
    Deno.renameSync(draft, path);
  } catch {
    // The cache is an economy: a folder that cannot be written costs a compilation at each start.
  }
}
