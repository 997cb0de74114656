/** What `deno task bench:peers` takes on its command line. */

import { parseArgs } from "deno-std/cli/parse_args.js";
import { ADAPTER_CHOICES, type AdapterChoice } from "../../backends/contract.ts";
import type { BenchShape } from "./ours.ts";
import { VARIANTS } from "./torch_server.ts";
import { WORKLOADS } from "./workloads.ts";

/** Options of `--backend=cpu`, the default. */
export interface CpuPeerOptions extends BenchShape {
  backend: "cpu";
  /** A key of {@linkcode WORKLOADS}. */
  what: string;
  rounds: number;
  /** Timed steps of each kind and side a round. */
  steps: number;
  /** Of PyTorch. */
  variants: string[];
}

/** Options of `--backend=webgpu`. */
export interface WebGpuPeerOptions extends Omit<BenchShape, "threads"> {
  backend: "webgpu";
  adapter: AdapterChoice;
  /** Timed steps of each kind of the peers. */
  rounds: number;
  /** Timed steps of each kind of ours, before the first round and after every one. */
  steps: number;
}

const ALL = ["backend", "batch", "layers", "channels", "rounds", "steps"];

/** @throws {RangeError} If an option is unknown, out of range, or of another backend. */
export function parsePeerOptions(args: string[]): CpuPeerOptions | WebGpuPeerOptions {
  const { backend = "cpu" } = parseArgs(args, { string: ["backend"] });
  if (backend === "cpu") return parseCpuOptions(args);
  if (backend === "webgpu") return parseWebGpuOptions(args);
  throw new RangeError(`Cannot take --backend ${backend}: want cpu or webgpu`);
}

function parseCpuOptions(args: string[]): CpuPeerOptions {
  const { count, text } = reader(args, [...ALL, "threads", "variants", "what"]);
  const what = text("what", "search");
  if (!Object.hasOwn(WORKLOADS, what)) {
    throw new RangeError(`Unknown --what ${what}: want ${Object.keys(WORKLOADS).join(" or ")}`);
  }
  const { shape } = WORKLOADS[what];
  const variants = text("variants", Object.keys(VARIANTS).join()).split(",");
  const wrong = variants.find((name) => !Object.hasOwn(VARIANTS, name));
  if (wrong !== undefined) {
    throw new RangeError(`Unknown variant "${wrong}": want ${Object.keys(VARIANTS).join(", ")}`);
  }
  return {
    backend: "cpu",
    what,
    batch: count("batch", shape.batch),
    layers: count("layers", shape.layers),
    channels: count("channels", shape.channels),
    threads: count("threads", navigator.hardwareConcurrency),
    rounds: count("rounds", 2),
    steps: count("steps", 2),
    variants,
  };
}

function parseWebGpuOptions(args: string[]): WebGpuPeerOptions {
  const { count, text } = reader(args, [...ALL, "adapter"]);
  const adapter = adapterChoice(text("adapter", "high-performance"));
  return {
    backend: "webgpu",
    batch: count("batch", 16),
    layers: count("layers", 5),
    channels: count("channels", 16),
    adapter,
    rounds: count("rounds", 1),
    steps: count("steps", 3),
  };
}

/** The choice of that name. @throws {RangeError} If there is none. */
export function adapterChoice(name: string): AdapterChoice {
  const adapter = ADAPTER_CHOICES.find((choice) => choice === name);
  if (adapter) return adapter;
  throw new RangeError(`Unknown adapter "${name}": want ${ADAPTER_CHOICES.join(", ")}`);
}

function reader(args: string[], names: string[]) {
  const unknown: string[] = [];
  const parsed: Record<string, unknown> = parseArgs(args, {
    string: names,
    unknown: (name: string) => void unknown.push(name),
  });
  if (unknown.length > 0) throw new RangeError(`Unknown option ${unknown[0]}`);
  return {
    text: (name: string, fallback: string) => String(parsed[name] ?? fallback),
    count: (name: string, fallback: number): number => {
      const value = Number(parsed[name] ?? fallback);
      if (Number.isInteger(value) && value > 0) return value;
      throw new RangeError(`Cannot take --${name} ${parsed[name]}: want a positive integer`);
    },
  };
}
