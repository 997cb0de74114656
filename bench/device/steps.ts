/**
 * Times steps of one of the search's supernets, or of the evaluation network, on one backend, recorded and
 * not, beside PyTorch on the same card where python3 has it, eager and captured in CUDA graphs: prints a
 * line of JSON. A part of `deno task gpu:check`.
 *
 * PyTorch's steps alternate with ours. Options: --backend=cudnn --what=search (or evaluation) --batch=96
 * --layers=5 --channels=16 --kept=8 (of a supernet: the last primitives, left on each edge) --steps=10, and
 * --no-peer to leave PyTorch out.
 */

import { parseArgs } from "deno-std/cli/parse_args.js";
import { startBackend } from "../../backends/mod.ts";
import type { BenchShape } from "../peers/ours.ts";
import { summarise, type Summary } from "../peers/report.ts";
import {
  torchGpu,
  TorchServer,
  torchVersion,
  type Variant,
  VARIANTS,
} from "../peers/torch_server.ts";
import { WORKLOADS } from "../peers/workloads.ts";

/** Of PyTorch: as it comes, with its fastest layout and algorithms, and so from CUDA graphs. */
const PEERS: Readonly<Record<string, Variant>> = {
  nchw: VARIANTS.nchw,
  tuned_channels_last: VARIANTS.tuned_channels_last,
  captured_channels_last: { ...VARIANTS.tuned_channels_last, graph: true },
};

/** Untimed steps of each kind: PyTorch chooses its kernels in them, and a backend compiles its own. */
const WARM_UP = 3;

/** Steps of one contestant. */
interface Steps {
  /** By name of the step. */
  milliseconds: Record<string, Summary>;
  /** Bytes of tensors. */
  peakBytes: number;
}

/** Ours, replayed from a recording or run anew, and PyTorch's in turns with them. */
interface Turns {
  ours: Steps & { firstStepMilliseconds: number; firstLoss: number; lastLoss: number };
  peers: Record<string, Steps>;
}

const options = parseArgs(Deno.args, {
  string: ["backend", "what", "batch", "layers", "channels", "kept", "steps"],
  boolean: ["peer"],
  negatable: ["peer"],
  default: {
    backend: "cudnn",
    what: "search",
    batch: "96",
    layers: "5",
    channels: "16",
    kept: "8",
    steps: "10",
    peer: true,
  },
});
const workload = WORKLOADS[options.what];
const shape: BenchShape = {
  batch: Number(options.batch),
  layers: Number(options.layers),
  channels: Number(options.channels),
  ...(workload.network === "supernet" ? { kept: Number(options.kept) } : {}),
  threads: navigator.hardwareConcurrency,
};
const steps = Number(options.steps);
/** The step whose loss is looked at; first of each workload. */
const [TRAINING] = workload.steps;

/** Times all contestants; null where steps are to be recorded and cannot be. */
async function takeTurns(
  replay: boolean,
  torch: ReadonlyMap<string, TorchServer>,
): Promise<Turns | null> {
  const { backend } = await startBackend(options.backend);
  if (replay && !backend.createRecorder) {
    backend.close();
    return null;
  }
  const ours = await workload.start({ ...shape, backend, replay });
  const firstStepMilliseconds = await ours.steps[TRAINING](), firstLoss = ours.loss();
  if (!(Math.abs(firstLoss - Math.log(10)) < 1)) {
    throw new Error(`Cannot time a step whose first loss is ${firstLoss}, not near log 10`);
  }
  for (let step = 0; step < WARM_UP; step++) {
    for (const kind of workload.steps) await ours.steps[kind]();
  }
  ours.resetPeak();
  const times = noTimes(), peers = new Map([...torch.keys()].map((name) => [name, noTimes()]));
  for (let step = 0; step < steps; step++) {
    for (const kind of workload.steps) {
      times[kind].push(await ours.steps[kind]());
      for (const [name, server] of torch) peers.get(name)![kind].push(await server.run(kind));
    }
  }
  const peerSteps = await Promise.all([...peers].map(async ([name, times]) => [name, {
    milliseconds: summaries(times),
    peakBytes: await torch.get(name)!.peakDeviceBytes(),
  }]));
  const turns = {
    ours: {
      milliseconds: summaries(times),
      peakBytes: ours.memory().peak,
      firstStepMilliseconds,
      firstLoss,
      lastLoss: ours.loss(),
    },
    peers: Object.fromEntries(peerSteps),
  };
  ours.close();
  return turns;
}

/** No samples yet, by name of the step. */
function noTimes(): Record<string, number[]> {
  return Object.fromEntries(workload.steps.map((kind): [string, number[]] => [kind, []]));
}

function summaries(times: Record<string, number[]>): Record<string, Summary> {
  return Object.fromEntries(workload.steps.map((kind) => [kind, summarise(times[kind])]));
}

/** PyTorch's servers by variant, warmed up; none where there is no PyTorch with a card. */
async function startPeers(): Promise<Map<string, TorchServer>> {
  const servers = new Map<string, TorchServer>();
  for (const [name, variant] of Object.entries(PEERS)) {
    const server = await TorchServer.start(shape, { ...variant, device: "cuda" }, workload.network);
    for (let step = 0; step < WARM_UP; step++) {
      for (const kind of workload.steps) await server.run(kind);
    }
    servers.set(name, server);
  }
  return servers;
}

const gpu = options.peer ? await torchGpu() : undefined;
const torch = gpu === undefined ? new Map<string, TorchServer>() : await startPeers();
const peer = gpu === undefined ? null : { gpu, version: await torchVersion() };
const unrecorded = await takeTurns(false, torch), recorded = await takeTurns(true, torch);
for (const server of torch.values()) await server.close();
console.log(
  JSON.stringify({ what: options.what, shape, steps, torch: peer, unrecorded, recorded }),
);
Deno.exit(0);
