/**
 * Times training steps of one of the search's supernets on one backend, recorded and not, beside PyTorch
 * on the same card where python3 has it, eager and captured in CUDA graphs: prints a line of JSON. A part of
 * `deno task gpu:check`.
 *
 * PyTorch's steps alternate with ours. Options: --backend=cudnn --batch=96 --layers=5 --channels=16
 * --kept=8 (the last primitives, left on each edge) --steps=10, and --no-peer to leave PyTorch out.
 */

import { parseArgs } from "deno-std/cli/parse_args.js";
import { startBackend } from "../../backends/mod.ts";
import { createStepRunner } from "../../search/train_step.ts";
import { type BenchShape, runStep, type Step, STEPS } from "../peers/ours.ts";
import { byStep, summarise, type Summary } from "../peers/report.ts";
import {
  torchGpu,
  TorchServer,
  torchVersion,
  type Variant,
  VARIANTS,
} from "../peers/torch_server.ts";

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
  milliseconds: Record<Step, Summary>;
  /** Bytes of tensors. */
  peakBytes: number;
}

/** Ours, replayed from a recording or run anew, and PyTorch's in turns with them. */
interface Turns {
  ours: Steps & { firstStepMilliseconds: number; firstLoss: number; lastLoss: number };
  peers: Record<string, Steps>;
}

const options = parseArgs(Deno.args, {
  string: ["backend", "batch", "layers", "channels", "kept", "steps"],
  boolean: ["peer"],
  negatable: ["peer"],
  default: {
    backend: "cudnn",
    batch: "96",
    layers: "5",
    channels: "16",
    kept: "8",
    steps: "10",
    peer: true,
  },
});
const shape: BenchShape = {
  batch: Number(options.batch),
  layers: Number(options.layers),
  channels: Number(options.channels),
  kept: Number(options.kept),
  threads: navigator.hardwareConcurrency,
};
const steps = Number(options.steps);

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
  const runner = await createStepRunner({ ...shape, backend, replay });
  const firstStepMilliseconds = await runner.weightStep(), firstLoss = runner.loss;
  if (!(Math.abs(firstLoss - Math.log(10)) < 1)) {
    throw new Error(`Cannot time a step whose first loss is ${firstLoss}, not near log 10`);
  }
  for (let step = 0; step < WARM_UP; step++) {
    for (const kind of STEPS) await runStep(runner, kind);
  }
  runner.resetPeak();
  const ours = byStep((): number[] => []);
  const peers = new Map([...torch].map(([name]) => [name, byStep((): number[] => [])]));
  for (let step = 0; step < steps; step++) {
    for (const kind of STEPS) {
      ours[kind].push(await runStep(runner, kind));
      for (const [name, server] of torch) peers.get(name)![kind].push(await server.run(kind));
    }
  }
  const summaries = (times: Record<Step, number[]>) => byStep((kind) => summarise(times[kind]));
  const peerSteps = await Promise.all([...peers].map(async ([name, times]) => [name, {
    milliseconds: summaries(times),
    peakBytes: await torch.get(name)!.peakDeviceBytes(),
  }]));
  const turns = {
    ours: {
      milliseconds: summaries(ours),
      peakBytes: runner.memory().peak,
      firstStepMilliseconds,
      firstLoss,
      lastLoss: runner.loss,
    },
    peers: Object.fromEntries(peerSteps),
  };
  runner.close();
  return turns;
}

/** PyTorch's servers by variant, warmed up; none where there is no PyTorch with a card. */
async function startPeers(): Promise<Map<string, TorchServer>> {
  const servers = new Map<string, TorchServer>();
  for (const [name, variant] of Object.entries(PEERS)) {
    const server = await TorchServer.start(shape, { ...variant, device: "cuda" });
    for (let step = 0; step < WARM_UP; step++) {
      for (const kind of STEPS) await server.run(kind);
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
console.log(JSON.stringify({ shape, steps, torch: peer, unrecorded, recorded }));
Deno.exit(0);
