/**
 * PyTorch as a child process that takes one step a request: the other end of
 * `pytorch/bench_step.py --serve`, whose header gives the line protocol.
 */

import { TextLineStream } from "deno-std/streams/text_line_stream.js";
import type { BenchShape } from "./ours.ts";
import type { Workload } from "./workloads.ts";

const SCRIPT = new URL("./pytorch/bench_step.py", import.meta.url).pathname;

/**
 * glibc's malloc as PyTorch likes it: freed memory is never returned to the system, large blocks come
 * from the heap, and the heap lies on huge pages. (glibc manual, "Memory Allocation Tunables".)
 */
const TUNED = {
  MALLOC_TRIM_THRESHOLD_: String(2 ** 40),
  MALLOC_MMAP_THRESHOLD_: String(2 ** 40),
  MALLOC_TOP_PAD_: String(2 ** 28),
  GLIBC_TUNABLES: "glibc.malloc.hugetlb=1",
};

/** A way to run PyTorch. */
export interface Variant {
  layout: "nchw" | "channels_last";
  /** Whether malloc is tuned, and cuDNN measures its algorithms; otherwise PyTorch runs as it comes. */
  tuned: boolean;
  /** Default "cpu". */
  device?: "cuda";
  /** Whether training steps are replayed from CUDA graphs, on a card. */
  graph?: boolean;
}

export const VARIANTS: Readonly<Record<string, Variant>> = {
  nchw: { layout: "nchw", tuned: false },
  channels_last: { layout: "channels_last", tuned: false },
  tuned_nchw: { layout: "nchw", tuned: true },
  tuned_channels_last: { layout: "channels_last", tuned: true },
};

/** What the machine is made of. */
export interface Machine {
  cpu: string;
  cores: number;
  memory_bytes: number;
  kernel: string;
}

/**
 * PyTorch's version.
 *
 * @throws {Error} If python3 or its torch is missing, saying what to install.
 */
export async function torchVersion(): Promise<string> {
  try {
    const version = await python("import torch; print(torch.__version__)");
    if (version !== undefined) return version;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Error("Cannot run PyTorch: there is no python3 on the path");
  }
  throw new Error("Cannot run PyTorch: python3 has no torch (pip install torch==2.13.0)");
}

/** The name of the GPU that PyTorch uses, if there are a PyTorch and a GPU. */
export async function torchGpu(): Promise<string | undefined> {
  try {
    return await python("import torch; print(torch.cuda.get_device_name())");
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** What a program prints; undefined if it fails. */
async function python(code: string): Promise<string | undefined> {
  const command = new Deno.Command("python3", { args: ["-c", code], stderr: "null" });
  const { success, stdout } = await command.output();
  return success ? new TextDecoder().decode(stdout).trim() : undefined;
}

/** A running PyTorch process with its network; close it when done. */
export class TorchServer {
  readonly #child: Deno.ChildProcess;
  readonly #requests: WritableStreamDefaultWriter<Uint8Array>;
  readonly #replies: ReadableStreamDefaultReader<string>;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#requests = child.stdin.getWriter();
    this.#replies = child.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream() as TransformStream<string, string>).getReader();
  }

  /** Starts a variant and waits until its network is built, by default the supernet. */
  static async start(
    shape: BenchShape,
    variant: Variant,
    network: Workload["network"] = "supernet",
  ): Promise<TorchServer> {
    const { layout, device = "cpu" } = variant;
    const options = Object.entries({ network, ...shape, layout, device })
      .flatMap(([name, value]) => [`--${name}`, String(value)]);
    const flags = [
      ...(variant.tuned ? ["--benchmark"] : []),
      ...(variant.graph ? ["--graph"] : []),
    ];
    const child = new Deno.Command("python3", {
      args: [SCRIPT, "--serve", ...options, ...flags],
      env: { PYTHONDONTWRITEBYTECODE: "1", ...(variant.tuned ? TUNED : {}) },
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const server = new TorchServer(child);
    await server.#reply();
    return server;
  }

  /** Runs one step. @returns milliseconds @throws {Error} If its loss is not finite. */
  async run(step: string): Promise<number> {
    const { ms, loss } = await this.#ask<{ ms: number; loss: number }>(`run ${step}`);
    if (!Number.isFinite(loss)) {
      throw new Error(`Cannot time a diverged ${step} step: loss ${loss}`);
    }
    return ms;
  }

  /** Peak resident bytes of PyTorch's process, or of another of this user by its id. */
  async peakBytes(pid?: number): Promise<number> {
    const reply = await this.#ask<{ peak_rss_bytes: number }>(`memory ${pid ?? ""}`);
    return reply.peak_rss_bytes;
  }

  /** Largest bytes of PyTorch's tensors on its card so far; 0 without one. */
  async peakDeviceBytes(): Promise<number> {
    const reply = await this.#ask<{ peak_device_bytes: number }>("memory");
    return reply.peak_device_bytes;
  }

  machine(): Promise<Machine> {
    return this.#ask<Machine>("machine");
  }

  /** Ends the process and waits until its memory is returned. */
  async close(): Promise<void> {
    await this.#requests.close();
    await this.#replies.cancel();
    await this.#child.status;
  }

  async #ask<Reply>(request: string): Promise<Reply> {
    await this.#requests.write(new TextEncoder().encode(request + "\n"));
    return await this.#reply() as Reply;
  }

  async #reply(): Promise<unknown> {
    const { value, done } = await this.#replies.read();
    if (done) {
      const { code } = await this.#child.status;
      throw new Error(`Cannot go on without PyTorch: its process ended with code ${code}`);
    }
    const reply = JSON.parse(value);
    if (reply.error) throw new Error(reply.error);
    return reply;
  }
}
