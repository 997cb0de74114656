/**
 * The options that a run has besides its config, for every program that computes: the backend and what
 * the backends take, where data and results are, how often to report and to save.
 *
 * Invariant: each stands in one row here; a new option of a backend is a row, a default and nothing else.
 */

import {
  ADAPTER_CHOICES,
  BACKEND_NAMES,
  type BackendOptions,
  PRECISIONS,
  STORAGE_TYPES,
} from "../backends/contract.ts";
import {
  choice,
  decimal,
  integer,
  listenAddress,
  onOff,
  type OptionSpec,
  text,
  UsageError,
} from "./command_line.ts";
import {
  type ConfigOption,
  type GivenOptions,
  optionGroup,
  type OptionRow,
  optionText,
  valueAt,
  withDefaults,
  withOptions,
} from "./config_options.ts";
import { MEMORY_MODES, type MemoryMode } from "./recompute.ts";
import { RunError } from "./run_files.ts";

/** What starts a backend. */
export interface BackendChoice {
  /** A backend's name, or `auto`. */
  readonly backend: string;
  /** What the backends take; each its own. */
  readonly backendOptions: BackendOptions;
}

/** What a run has besides its config. */
export interface RunOptions extends BackendChoice {
  /** Whether all is kept that gradients need, or cells are computed twice. */
  readonly memory: MemoryMode;
  /** Path of the data; absent where it is fetched. */
  readonly data?: string;
  /** Workers that decode images; absent for as many as there are cores but one. */
  readonly workers?: number;
  /** Share of a folder's training or test images that may be unreadable. */
  readonly maxUnreadable: number;
  /** Kept with the run; empty for none. */
  readonly note: string;
  /** Steps between reports. */
  readonly reportEvery: number;
  /** Minutes between checkpoints within an epoch. */
  readonly checkpointMinutes: number;
  /** Where the run is shown in a browser, such as `127.0.0.1:0`; absent where it is not. */
  readonly live?: string;
  /** Whether event files for TensorBoard are written; absent in runs of an earlier version. */
  readonly tensorboard?: boolean;
}

/** Where nothing is given. */
export const RUN_DEFAULTS: RunOptions = {
  backend: "auto",
  backendOptions: {
    adapter: ADAPTER_CHOICES[0],
    subgroups: false,
    storage: STORAGE_TYPES[0],
    precision: PRECISIONS[0],
  },
  memory: MEMORY_MODES[0],
  maxUnreadable: 0.01,
  note: "",
  reportEvery: 50,
  checkpointMinutes: 10,
  tensorboard: false,
};

const BACKEND_ROWS: readonly OptionRow[] = [
  ["backend", "backend", choice(["auto", ...BACKEND_NAMES]), "what computes"],
  [
    "threads",
    "backendOptions.threads",
    integer({ min: 1, max: 256 }),
    "threads of the cpu backend",
    {
      unset: "all cores",
      free: true,
    },
  ],
  ["adapter", "backendOptions.adapter", choice(ADAPTER_CHOICES), "adapter of the webgpu backend"],
  ["subgroups", "backendOptions.subgroups", onOff(), "sums over subgroups on the webgpu backend"],
  [
    "storage",
    "backendOptions.storage",
    choice(STORAGE_TYPES),
    "how the webgpu backend keeps activations",
  ],
  [
    "precision",
    "backendOptions.precision",
    choice(PRECISIONS),
    "of the cudnn backend's dense convolutions; bf16: of results kept",
  ],
];

const DATA_ROWS: readonly OptionRow[] = [
  ["data", "data", text("PATH"), "CIFAR's official archive or its folder; a folder of images", {
    hint: "(default: fetched for cifar10)",
    free: true,
  }],
  ["workers", "workers", integer({ min: 1, max: 256 }), "workers that decode a folder's images", {
    unset: "all cores but one",
    free: true,
  }],
  [
    "max-unreadable",
    "maxUnreadable",
    decimal({ min: 0, max: 1 }),
    "share of a folder's images that may be unreadable",
    { free: true },
  ],
];

/** Options of a program that computes without a run: data and backend. */
export const BACKEND_OPTIONS: readonly ConfigOption[] = optionGroup("Run:", [
  ...DATA_ROWS,
  ...BACKEND_ROWS,
]);

/** Options of a run. */
export const RUN_OPTIONS: readonly ConfigOption[] = [
  ...BACKEND_OPTIONS,
  ...optionGroup("Run:", [
    ["memory", "memory", choice(MEMORY_MODES), "low: cells are computed twice instead of kept", {
      free: true,
    }],
    ["note", "note", text(), "kept with the run", { hint: "" }],
    ["report-every", "reportEvery", integer({ min: 1 }), "steps between reports"],
    [
      "checkpoint-minutes",
      "checkpointMinutes",
      decimal({ min: 0 }),
      "minutes between checkpoints in an epoch",
      { free: true },
    ],
    ["live", "live", listenAddress(), "show the run in a browser", {
      hint: "(default: off; alone: a free port)",
      alone: "0",
      free: true,
    }],
    ["tensorboard", "tensorboard", onOff(), "write event files for TensorBoard", {
      alone: "on",
      free: true,
    }],
  ]),
];

/** Options of rows with their defaults, for the help. */
export function optionsOfRun(options: readonly ConfigOption[] = RUN_OPTIONS): OptionSpec[] {
  return withDefaults(options, [["default", RUN_DEFAULTS]]);
}

/** The options that make or continue a run folder of a kind. */
export function folderOptions(kind: string): OptionSpec[] {
  const group = "Run:";
  const hint = `(default: runs/${kind}-DATE-TIME)`;
  return [
    { name: "save", type: text("DIR"), help: "the run folder to make", hint, group },
    { name: "resume", type: text("DIR"), help: "the run folder to continue", group },
  ];
}

/** The options of a run that are given, and the defaults of the others. */
export function runOptionsOf(given: GivenOptions): RunOptions {
  return withOptions(RUN_DEFAULTS, given, RUN_OPTIONS);
}

/** A run as its config.json has it, and what names its options. */
export interface ResumedRun<Config extends object> {
  /** The config. */
  readonly config: Config;
  /** The rest. */
  readonly run: RunOptions;
  /** Options of the config. */
  readonly options: readonly ConfigOption[];
}

/**
 * The options of a run that is resumed: its own, but for those given that do not reach its result.
 *
 * @throws {UsageError} when `--save` is given too
 * @throws {RunError} naming the first option given with another value than the run's
 */
export function resumedOptions<Config extends object>(
  given: GivenOptions,
  { config, run, options }: ResumedRun<Config>,
): RunOptions {
  if ("save" in given) throw new UsageError("Cannot use --save with --resume: the run stays there");
  const preset: ConfigOption = { name: "preset", key: "preset", type: text(), help: "", group: "" };
  for (const option of [preset, ...options]) refuseOther(option, given, config);
  for (const option of RUN_OPTIONS) {
    if (!option.free && !(option.name === "backend" && given.backend === "auto")) {
      refuseOther(option, given, run);
    }
  }
  return withOptions(run, given, RUN_OPTIONS.filter(({ free }) => free));
}

function refuseOther(option: ConfigOption, given: GivenOptions, config: object): void {
  if (!(option.name in given)) return;
  const value = given[option.name], theirs = valueAt(config, option.key);
  if (JSON.stringify(value) === JSON.stringify(theirs)) return;
  throw new RunError(
    `Cannot resume with --${option.name}=${optionText(option, value)}: the run was begun with ${
      optionText(option, theirs)
    }`,
  );
}
