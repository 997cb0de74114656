/**
 * Options that each name one place of a config: parser, help with every preset's default, the config
 * itself, and the comparison with that of a run that is resumed all follow from one row.
 */

import { choice, decimal, integer, list, type OptionSpec, type ValueType } from "./command_line.ts";
import { NETWORK_KINDS } from "./stem.ts";

/** Given options by name, as `parseCommandLine` returns them. */
export type GivenOptions = Readonly<Record<string, unknown>>;

/** An option that sets a value of a config. */
export interface ConfigOption extends OptionSpec {
  /** Its place, such as `weights.clip`; in `stages.*.drop` it has a value for each of the stages. */
  readonly key: string;
  /** What stands for a value that is not set, such as `all`. */
  readonly unset?: string;
  /** Whether a resumed run may be given another value, since none reaches the result. */
  readonly free?: boolean;
}

/** One row of a table of options. */
export type OptionRow = readonly [
  name: string,
  key: string,
  type: ValueType<unknown>,
  help: string,
  more?: Pick<ConfigOption, "unset" | "free" | "hint" | "alone">,
];

/** The options of rows that stand under one heading of the help. */
export function optionGroup(group: string, rows: readonly OptionRow[]): ConfigOption[] {
  return rows.map(([name, key, type, help, more]) => ({ name, key, type, help, group, ...more }));
}

/** A row whose default is told in words. */
export function withHint([name, key, type, help]: OptionRow, hint: string): OptionRow {
  return [name, key, type, help, { hint }];
}

type Values = Record<string, unknown>;

/** The value at a place of a config; a list where the place is in each element of one. */
export function valueAt(config: object, key: string): unknown {
  const [first, ...rest] = key.split(".");
  if (first === "*") return (config as object[]).map((item) => valueAt(item, rest.join(".")));
  const value = (config as Values)[first];
  return rest.length === 0 || value === undefined || value === null
    ? value
    : valueAt(value as object, rest.join("."));
}

function setAt(config: object, key: string, value: unknown): void {
  const [first, ...rest] = key.split(".");
  if (first === "*") {
    const values = value as unknown[];
    (config as object[]).forEach((item, index) => setAt(item, rest.join("."), values[index]));
  } else if (rest.length === 0) (config as Values)[first] = value;
  else setAt((config as Values)[first] as object, rest.join("."), value);
}

/** A copy of a config with the values of the options that were given. */
export function withOptions<Config extends object>(
  config: Config,
  given: GivenOptions,
  options: readonly ConfigOption[],
): Config {
  const changed = structuredClone(config);
  for (const { name, key } of options) if (name in given) setAt(changed, key, given[name]);
  return changed;
}

/** The value of an option as a person gives it. */
export function optionText(option: Pick<ConfigOption, "unset">, value: unknown): string {
  if (value === null || value === undefined) return option.unset ?? "none";
  return typeof value === "boolean" ? value ? "on" : "off" : String(value);
}

/** The options with every preset's default in their help: `(default: 25; quick: 4)`. */
export function withDefaults(
  options: readonly ConfigOption[],
  presets: readonly (readonly [name: string, config: object])[],
): OptionSpec[] {
  return options.map((option) => {
    if (option.hint !== undefined) return option;
    const [usual, ...others] = presets.map(([name, config]) => ({
      name,
      text: optionText(option, valueAt(config, option.key)),
    }));
    const differing = others.filter(({ text }) => text !== usual.text);
    const parts = [{ name: "default", text: usual.text }, ...differing];
    return { ...option, hint: `(${parts.map(({ name, text }) => `${name}: ${text}`).join("; ")})` };
  });
}

/** A message of a config's checks with the name of the option in place of its place in the config. */
export function inOptions(message: string, options: readonly ConfigOption[]): string {
  const named = options.find(({ key }) =>
    / with (\S+)/.exec(message)?.[1] === key.replace("stages.*.", "") &&
    message.startsWith("Cannot ")
  );
  return named ? message.replace(/ with \S+/, ` with --${named.name}`) : message;
}

const RATE = decimal({ min: 0, max: 1, below: true });
const NOT_NEGATIVE = decimal({ min: 0 });
const CHANNELS = 3;

/** Options of the SGD at a place of a config. */
export function sgdOptions(place: string): ConfigOption[] {
  return optionGroup("Weights (SGD):", [
    ["learning-rate", `${place}.learningRate`, NOT_NEGATIVE, "learning rate at epoch 0"],
    [
      "minimum-learning-rate",
      `${place}.minimumLearningRate`,
      NOT_NEGATIVE,
      "where the cosine ends",
    ],
    ["momentum", `${place}.momentum`, RATE, "momentum"],
    ["weight-decay", `${place}.weightDecay`, NOT_NEGATIVE, "weight decay"],
    ["clip", `${place}.clip`, NOT_NEGATIVE, "largest norm of all gradients"],
  ]);
}

/** Rows of every batch norm's options. */
export const BATCH_NORM_ROWS: readonly OptionRow[] = [
  [
    "batch-norm-epsilon",
    "batchNorm.epsilon",
    decimal({ min: 0, above: true }),
    "added to a variance before its root",
  ],
  [
    "batch-norm-momentum",
    "batchNorm.momentum",
    decimal({ min: 0, max: 1 }),
    "weight of the newest batch in running statistics",
  ],
];

const OF_DATA_SET = { unset: "the data set's" };

/** Options of what turns images into the network's input. */
export const NORMALISATION_ROWS: readonly OptionRow[] = [
  [
    "mean",
    "normalisation.mean",
    list(decimal({ min: 0, max: 1 }), CHANNELS),
    "subtracted from red, green, blue in 0..1",
    OF_DATA_SET,
  ],
  [
    "std",
    "normalisation.std",
    list(decimal({ min: 0, above: true }), CHANNELS),
    "what they are then divided by",
    OF_DATA_SET,
  ],
];

/** Options of what changes training images, and of their normalisation. */
export const IMAGE_OPTIONS: readonly ConfigOption[] = optionGroup("Images:", [
  ...NORMALISATION_ROWS,
  [
    "crop-padding",
    "augmentation.cropPadding",
    integer({ min: 0, max: 32 }),
    "zeros around an image before its random crop, in pixels",
  ],
  [
    "flip-probability",
    "augmentation.flipProbability",
    decimal({ min: 0, max: 1 }),
    "share of mirrored images",
  ],
  [
    "cutout",
    "augmentation.cutout",
    integer({ min: 0, max: 32 }),
    "side of the square cut out, in pixels",
  ],
]);

/** The option that names the network's stem and head. */
export const NETWORK_ROW: OptionRow = [
  "network",
  "network",
  choice(NETWORK_KINDS),
  "stem and head; imagenet's stem takes images to an eighth",
  { hint: "(default: cifar; folders: imagenet)" },
];

/** The option that names the data set. */
export function datasetRow(names: readonly string[]): OptionRow {
  const hint = `(default: ${names[0]})`;
  return ["dataset", "dataset", choice(names), "data set; the last two want --data", { hint }];
}
