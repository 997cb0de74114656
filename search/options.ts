/**
 * The options of `deno task search`: a table that gives the parser, the help with every default, the
 * config, and the comparison with the config of a run that is resumed.
 *
 * Invariant: each option of the search itself names one place of {@linkcode SearchConfig}, and the
 * defaults in the help are read from the presets.
 */

import {
  choice,
  type CommandSpec,
  decimal,
  integer,
  type OptionSpec,
  text,
  UsageError,
} from "../nn/command_line.ts";
import { RunError } from "../nn/run_files.ts";
import {
  ADAPTER_CHOICES,
  BACKEND_NAMES,
  type BackendOptions,
  PRECISIONS,
  STORAGE_TYPES,
} from "../backends/contract.ts";
import { MEMORY_MODES, type MemoryMode } from "../nn/recompute.ts";
import { PRESETS, type SearchConfig, searchConfig, type SearchOverrides } from "./config.ts";
import { SEARCH_OPTIONS, type SearchOption } from "./search_options.ts";

/** Given options by name, as `parseCommandLine` returns them. */
export type GivenOptions = Readonly<Record<string, unknown>>;

const SWITCH = ["off", "on"] as const;
/** The value of an option that is off by default. */
type Switch = typeof SWITCH[number];

/** What a run has besides its config. */
export interface RunOptions {
  /** A backend's name, or `auto`. */
  readonly backend: string;
  /** Threads of the cpu backend; undefined for all cores. */
  readonly threads: number | undefined;
  /** Adapter of the webgpu backend; undefined for high-performance. */
  readonly adapter: BackendOptions["adapter"];
  /** Whether the webgpu backend adds by subgroups; undefined for off. */
  readonly subgroups: Switch | undefined;
  /** How the webgpu backend keeps activations; undefined for f32. */
  readonly storage: BackendOptions["storage"];
  /** Precision of the cudnn backend; undefined for TF32. */
  readonly precision: BackendOptions["precision"];
  /** Whether cells are computed twice instead of kept; undefined for normal. */
  readonly memory: MemoryMode | undefined;
  /** Path of the data; undefined where it is fetched. */
  readonly data: string | undefined;
  /** Kept with the run; empty for none. */
  readonly note: string;
  /** Steps between reports. */
  readonly reportEvery: number;
  /** Minutes between checkpoints within an epoch. */
  readonly checkpointMinutes: number;
}

const [DEFAULT_ADAPTER] = ADAPTER_CHOICES, [DEFAULT_STORAGE] = STORAGE_TYPES;
const [DEFAULT_PRECISION] = PRECISIONS;

/** What stands for a number that is not set. */
const UNSET: Readonly<Record<string, string>> = {
  "train-images": "all",
  "mean": "the data set's",
  "std": "the data set's",
};

const RUN_OPTIONS: readonly OptionSpec[] = [
  ["preset", choice(PRESETS), "where the defaults come from", `(default: ${PRESETS[0]})`],
  ["data", text("PATH"), "the official archive or its folder", "(default: fetched for cifar10)"],
  ["backend", choice(["auto", ...BACKEND_NAMES]), "what computes", "(default: auto)"],
  ["threads", integer({ min: 1, max: 256 }), "threads of the cpu backend", "(default: all cores)"],
  [
    "adapter",
    choice(ADAPTER_CHOICES),
    "adapter of the webgpu backend",
    `(default: ${DEFAULT_ADAPTER})`,
  ],
  ["subgroups", choice(SWITCH), "sums over subgroups on the webgpu backend", "(default: off)"],
  [
    "storage",
    choice(STORAGE_TYPES),
    "how the webgpu backend keeps activations",
    `(default: ${DEFAULT_STORAGE})`,
  ],
  [
    "precision",
    choice(PRECISIONS),
    "of the cudnn backend's dense convolutions; bf16: of results kept",
    `(default: ${DEFAULT_PRECISION})`,
  ],
  [
    "memory",
    choice(MEMORY_MODES),
    "low: cells are computed twice instead of kept",
    `(default: ${MEMORY_MODES[0]})`,
  ],
  ["save", text("DIR"), "the run folder to make", "(default: runs/search-DATE-TIME)"],
  ["resume", text("DIR"), "the run folder to continue", ""],
  ["note", text(), "kept with the run", ""],
  ["report-every", integer({ min: 1 }), "steps between reports", "(default: 50)"],
  [
    "checkpoint-minutes",
    decimal({ min: 0 }),
    "minutes between checkpoints in an epoch",
    "(default: 10)",
  ],
].map(([name, type, help, hint]) => ({ name, type, help, hint, group: "Run:" }) as OptionSpec);

/** Where a `--resume` may differ from the run: what does not reach the result. */
const FREE_ON_RESUME = ["resume", "data", "threads", "memory", "checkpoint-minutes"];

/** The command line of the search. */
export const SEARCH_COMMAND: CommandSpec = {
  command: "deno task search",
  summary: "Searches a cell for image classification, progressively (P-DARTS). The defaults are " +
    "the authors' command; --preset=quick ends within minutes on two cores.",
  options: [
    ...RUN_OPTIONS,
    ...SEARCH_OPTIONS.map((option) => ({ ...option, hint: defaultsOf(option) })),
  ],
  epilogue:
    "Paths are relative to the project's folder.\nCtrl-C and SIGTERM finish the step and save.",
};

/** `(default: 25, quick: 3)`. */
function defaultsOf(option: SearchOption): string {
  const shown = (preset: string) => {
    const value = valueAt(searchConfig(preset), option.key);
    return value === null ? UNSET[option.name] : String(value);
  };
  const usual = shown(PRESETS[0]);
  const others = PRESETS.slice(1).filter((preset) => shown(preset) !== usual);
  return `(${
    [`default: ${usual}`, ...others.map((preset) => `${preset}: ${shown(preset)}`)].join("; ")
  })`;
}

/** The value at a place of a config; a list over the stages where the place is in them. */
function valueAt(config: SearchConfig, key: string): unknown {
  const [first, ...rest] = key.split(".");
  const last = rest.at(-1)!;
  if (first === "stages") {
    return config.stages.map((stage) => (stage as unknown as Record<string, unknown>)[last]);
  }
  const value = config[first as keyof SearchConfig];
  return rest.length === 0 ? value : (value as unknown as Record<string, unknown>)[last];
}

/**
 * The config of a new run.
 *
 * @throws {UsageError} when the options do not fit together
 */
export function configOf(given: GivenOptions): SearchConfig {
  const overrides: Record<string, unknown> = {};
  for (const { name, key } of SEARCH_OPTIONS) {
    if (!(name in given)) continue;
    const [first, ...rest] = key.split("."), last = rest.at(-1);
    if (last === undefined || first === "stages") overrides[last ?? first] = given[name];
    else overrides[first] = { ...overrides[first] as object, [last]: given[name] };
  }
  try {
    return searchConfig(given.preset as string | undefined, overrides as SearchOverrides);
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(inOptions(error.message));
    throw error;
  }
}

/** A message of the config's checks with the names of options in place of those of the config. */
export function inOptions(message: string): string {
  const named = SEARCH_OPTIONS.find(({ key }) =>
    message.startsWith(`Cannot search with ${key.replace("stages.*.", "")} `)
  );
  return named ? message.replace(/with \S+/, `with --${named.name}`) : message;
}

/** What a person may not have meant about a config that is valid; undefined where there is nothing. */
export function noteOn({ alphaFromEpoch, epochs }: SearchConfig): string | undefined {
  if (alphaFromEpoch < epochs) return undefined;
  return `Alphas are not trained: --alpha-from-epoch ${alphaFromEpoch} is not below ` +
    `--epochs ${epochs}`;
}

/** The options of a run besides its config. */
export function runOptionsOf(given: GivenOptions): RunOptions {
  return {
    backend: given.backend as string ?? "auto",
    threads: given.threads as number | undefined,
    adapter: given.adapter as BackendOptions["adapter"],
    subgroups: given.subgroups as Switch | undefined,
    storage: given.storage as BackendOptions["storage"],
    precision: given.precision as BackendOptions["precision"],
    memory: given.memory as MemoryMode | undefined,
    data: given.data as string | undefined,
    note: given.note as string ?? "",
    reportEvery: given["report-every"] as number ?? 50,
    checkpointMinutes: given["checkpoint-minutes"] as number ?? 10,
  };
}

/**
 * The options of a run that is resumed: its own, but for those given that do not reach its result.
 *
 * @param run What the run's config.json holds.
 * @throws {UsageError} when `--save` is given too
 * @throws {RunError} naming the first option given with another value than the run's
 */
export function resumedOptions(
  given: GivenOptions,
  run: { search: SearchConfig; run: RunOptions },
): RunOptions {
  if ("save" in given) throw new UsageError("Cannot use --save with --resume: the run stays there");
  const theirs: Record<string, unknown> = {
    preset: run.search.preset,
    backend: run.run.backend,
    adapter: run.run.adapter ?? DEFAULT_ADAPTER,
    subgroups: run.run.subgroups ?? "off",
    storage: run.run.storage ?? DEFAULT_STORAGE,
    precision: run.run.precision ?? DEFAULT_PRECISION,
    note: run.run.note,
    "report-every": run.run.reportEvery,
  };
  for (const { name, key } of SEARCH_OPTIONS) theirs[name] = valueAt(run.search, key);
  for (const [name, value] of Object.entries(given)) {
    const same = JSON.stringify(value) === JSON.stringify(theirs[name]) ||
      name === "backend" && value === "auto";
    if (same || FREE_ON_RESUME.includes(name)) continue;
    throw new RunError(
      `Cannot resume with --${name}=${value}: the run was begun with ${
        theirs[name] ?? UNSET[name]
      }`,
    );
  }
  const { data, threads, memory, checkpointMinutes } = runOptionsOf(given);
  return {
    ...run.run,
    data: data ?? run.run.data,
    threads: threads ?? run.run.threads,
    memory: memory ?? run.run.memory,
    checkpointMinutes: "checkpoint-minutes" in given
      ? checkpointMinutes
      : run.run.checkpointMinutes,
  };
}
