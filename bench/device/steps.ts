/**
 * Times training steps of the search's first supernet on one backend, recorded and not, beside PyTorch on
 * the same card where python3 has it: prints a line of JSON. A part of `deno task gpu:check`.
 *
 * PyTorch's steps alternate with ours. Options: --backend=cudnn --batch=96 --layers=5 --channels=16
 * --steps=10, and --no-peer to leave PyTorch out.
 */

import { parseArgs } from "deno-std/cli/parse_args.js";
import { startBackend } from "../../backends/mod.ts";
import { createStepRunner } from "../../search/train_step.ts";
import { type BenchShape, runStep, type Step, STEPS } from "../peers/ours.ts";
import { byStep, summarise, type Summary } from "../peers/report.ts";
import { torchGpu, TorchServer, torchVersion, VARIANTS } from "../peers/torch_server.ts";

/** Of PyTorch: as it comes, and with its fastest layout and algorithms. */
const PEERS = ["nchw", "tuned_channels_last"];

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
  string: ["backend", "batch", "layers", "channels", "steps"],
  boolean: ["peer"],
  negatable: ["peer"],
  default: { backend: "cudnn", batch: "96", layers: "5", channels: "16", steps: "10", peer: true },
});
const shape: BenchShape = {
  batch: Number(options.batch),
  layers: Number(options.layers),
  channels: Number(options.channels),
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
  for (const name of PEERS) {
    const server = await TorchServer.start(shape, { ...VARIANTS[name], device: "cuda" });
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
