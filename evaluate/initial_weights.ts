/**
 * Starting weights from another training: what fits by name and shape is taken, all else starts afresh, and
 * each key is told.
 *
 * The classifiers start afresh too where the classes are known to be others, even as many. Counts of batches
 * begin at 0, as those of every new run.
 */

import { CounterRandom } from "../backends/random.ts";
import type { Parameters } from "../nn/parameters.ts";
import { RunError } from "../nn/run_files.ts";
import type { HostTensor } from "../nn/safetensors.ts";
import type { ExpectedTensor, StateDict } from "../nn/state_dict.ts";
import { EvaluationNetwork } from "./network.ts";
import type { TrainingSettings } from "./training_settings.ts";
import { classNamesOf, firstOtherClass } from "./weights/class_names.ts";
import { readWeightsFile } from "./weights/read_weights.ts";
import { printableReason } from "./weights/weights_error.ts";

/** What became of a key. */
export const OUTCOMES = [
  "copied",
  "of other classes",
  "of another shape",
  "missing",
  "unused",
] as const;
/** One of {@linkcode OUTCOMES}. */
export type Outcome = typeof OUTCOMES[number];

/** A key of the network or of the file. */
export interface InitialKey {
  readonly name: string;
  readonly outcome: Outcome;
  /** Sizes in the network; absent where it has no such key. */
  readonly shape?: readonly number[];
  /** Sizes in the file, likewise. */
  readonly theirs?: readonly number[];
}

/** Weights to start from, compared with a network. */
export interface InitialWeights {
  /** The file. */
  readonly path: string;
  /** All keys: the network's in their order, then those that only the file has. */
  readonly keys: readonly InitialKey[];
  /** The tensors that are copied. */
  readonly tensors: ReadonlyMap<string, HostTensor>;
}

/** Name in the run folder of the list of all keys. */
export const INITIAL_FILE = "init.txt";

const COUNT = ".num_batches_tracked";
const CLASSIFIER = /(^|\.)classifier\./;

/**
 * Compares a file's weights with what a network expects.
 *
 * @param options.path The file, for messages.
 * @param options.sameClasses Whether the classes are the same, in their order.
 * @throws {RunError} If nothing fits.
 */
export function compareWeights(
  expected: ReadonlyMap<string, ExpectedTensor>,
  weights: StateDict,
  { path, sameClasses }: { path: string; sameClasses: boolean },
): InitialWeights {
  const ours = [...expected].filter(([name]) => !name.endsWith(COUNT));
  const keys = ours.map(([name, { shape }]): InitialKey => {
    const tensor = weights.get(name);
    if (!tensor) return { name, outcome: "missing", shape };
    const fits = tensor.shape.join() === shape.join() && tensor.data instanceof Float32Array;
    const others = !sameClasses && CLASSIFIER.test(name);
    const outcome = !fits ? "of another shape" : others ? "of other classes" : "copied";
    return { name, outcome, shape, theirs: tensor.shape };
  });
  const copied = keys.filter(({ outcome }) => outcome === "copied");
  if (copied.length === 0) {
    const [first = "nothing"] = weights.keys(), [wanted] = expected.keys();
    throw new RunError(
      `Cannot start from ${path}: no weight fits by name and shape; it begins with ` +
        `${printableReason(first)}, and the network with ${wanted}`,
    );
  }
  const unused = [...weights]
    .filter(([name]) => !expected.has(name) && !name.endsWith(COUNT))
    .map(([name, { shape }]): InitialKey => ({ name, outcome: "unused", theirs: shape }));
  const tensors = new Map(copied.map(({ name }) => [name, weights.get(name)!]));
  return { path, keys: [...keys, ...unused], tensors };
}

/**
 * The weights of a file, compared with the network that settings make on tfjs's current backend.
 *
 * @param path A file or a training's run folder.
 * @throws {RunError} If it cannot be read, or nothing fits.
 */
export async function readInitialWeights(
  path: string,
  { settings, classNames }: { settings: TrainingSettings; classNames: readonly string[] },
): Promise<InitialWeights> {
  const file = await readWeightsFile(path), theirs = classNamesOf(file) ?? classNames;
  const network = new EvaluationNetwork(
    { ...settings, auxiliary: settings.auxiliary.enabled },
    new CounterRandom(0),
  );
  try {
    const sameClasses = firstOtherClass(classNames, theirs) === undefined;
    const expected = network.parameters.expected();
    return compareWeights(expected, file.weights, { path: file.path, sameClasses });
  } finally {
    network.parameters.dispose();
  }
}

/** Copies the weights into the network that they were compared with. */
export async function copyWeights(
  parameters: Parameters,
  { tensors }: Pick<InitialWeights, "tensors">,
): Promise<void> {
  parameters.loadStateDict(new Map([...await parameters.stateDict(), ...tensors]));
}

/** Every key on a line of its own: outcome, name, and sizes. */
export function initialKeysText({ path, keys }: InitialWeights): string {
  const width = Math.max(...OUTCOMES.map((outcome) => outcome.length));
  const lines = keys.map(({ name, outcome, shape, theirs }) => {
    const sizes = [shape && `[${shape}]`, theirs && `there [${theirs}]`].filter(Boolean).join(", ");
    return `${outcome.padEnd(width)}  ${printableReason(name)}  ${sizes}`;
  });
  return [`Weights to start from: ${path}`, ...lines].join("\n") + "\n";
}

/** The outcomes in a few lines, module by module. */
export function initialSummary({ path, keys }: InitialWeights): string {
  const lines = OUTCOMES.flatMap((outcome) => {
    const names = keys.filter((key) => key.outcome === outcome).map(({ name }) => name);
    return names.length === 0
      ? []
      : [`  ${outcome}: ${names.length} tensors of ${modulesOf(names).join(", ")}`];
  });
  return [`Starting from ${path}:`, ...lines].join("\n");
}

/** The modules of names, neighbouring cells as one: `stem, cells 0-7, classifier`. */
function modulesOf(names: readonly string[]): string[] {
  const modules: string[] = [];
  let first: number | undefined, last: number | undefined;
  const end = () => {
    if (first === undefined) return;
    modules.push(first === last ? `cell ${first}` : `cells ${first}-${last}`);
    first = last = undefined;
  };
  for (const name of names) {
    const cell = /^cells\.(\d+)\./.exec(name)?.[1];
    const module = printableReason(name.split(".")[0]);
    if (cell === undefined) {
      end();
      if (!modules.includes(module)) modules.push(module);
    } else if (Number(cell) !== last) {
      if (last !== undefined && Number(cell) !== last + 1) end();
      first ??= Number(cell);
      last = Number(cell);
    }
  }
  end();
  return modules;
}
