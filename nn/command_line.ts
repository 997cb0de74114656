/**
 * The command line of the main programs: options from a table, and every failure as one line.
 *
 * `commander` parses and prints help; this file is the only one that knows it. Invariants: an error of
 * the command line alone ends with code {@linkcode USAGE_EXIT}, every other with 1, an interrupted run
 * with {@linkcode INTERRUPTED_EXIT} or {@linkcode TERMINATED_EXIT}; nobody is shown a stack trace.
 */

import { Command, CommanderError, Option } from "commander";
import { suggest } from "../backends/suggest.ts";

/** Exit code of a command line that cannot be understood. */
export const USAGE_EXIT = 2;
/** Exit code of a run ended by Ctrl-C, as shells number it: 128 + SIGINT. */
export const INTERRUPTED_EXIT = 130;
/** Exit code of a run ended by SIGTERM: 128 + SIGTERM. */
export const TERMINATED_EXIT = 143;

const HELP_WIDTH = 80;

/** A command line that cannot be understood; the message is one sentence for the user. */
export class UsageError extends Error {
  /** The class, for messages. */
  override readonly name = "UsageError";
  /** What a person types for the help, up to `--help`; by default the whole program's command. */
  command?: string;
}

/** How the text of an option becomes its value. */
export interface ValueType<T> {
  /** Stands for the value in the help, such as `N`. */
  readonly placeholder: string;
  /** What is accepted, such as `an integer from 1`; empty where the name says enough. */
  readonly accepts: string;
  /** The value; undefined where the text is not accepted. */
  parse(text: string): T | undefined;
  /** The accepted words, where they are few. */
  readonly words?: readonly string[];
}

/** What a number may be. */
export interface Range {
  /** The smallest; default any. */
  readonly min?: number;
  /** Whether `min` itself is left out. */
  readonly above?: boolean;
  /** The largest; default any. */
  readonly max?: number;
  /** Whether `max` itself is left out. */
  readonly below?: boolean;
}

function rangeText({ min, above, max, below }: Range): string {
  const from = min === undefined ? "" : ` ${above ? "above" : "from"} ${min}`;
  return max === undefined ? from : `${from} ${below ? "to below" : "to"} ${max}`;
}

function within(
  value: number,
  { min = -Infinity, above = false, max = Infinity, below = false }: Range,
): boolean {
  return (above ? value > min : value >= min) && (below ? value < max : value <= max);
}

/** Whole numbers. */
export function integer(range: Range & { even?: boolean } = {}): ValueType<number> {
  return {
    placeholder: "N",
    accepts: `${range.even ? "an even" : "an"} integer${rangeText(range)}`,
    parse: (text) => {
      const value = /^[+-]?\d+$/.test(text) ? Number(text) : NaN;
      const accepted = Number.isSafeInteger(value) && within(value, range) &&
        !(range.even && value % 2 !== 0);
      return accepted ? value : undefined;
    },
  };
}

/** Decimal numbers, such as `0.025` or `3e-4`. */
export function decimal(range: Range = {}): ValueType<number> {
  return {
    placeholder: "X",
    accepts: `a number${rangeText(range)}`,
    parse: (text) => {
      const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : NaN;
      return Number.isFinite(value) && within(value, range) ? value : undefined;
    },
  };
}

/** `count` values with commas between. */
export function list<T>(item: ValueType<T>, count: number): ValueType<T[]> {
  return {
    placeholder: new Array(count).fill(item.placeholder).join(","),
    accepts: `${count} values, each ${item.accepts}`,
    parse: (text) => {
      const values = text.split(",").map((part) => item.parse(part.trim()));
      const accepted = values.length === count && values.every((value) => value !== undefined);
      return accepted ? values as T[] : undefined;
    },
  };
}

/** One of a few words. */
export function choice<T extends string>(words: readonly T[]): ValueType<T> {
  return {
    placeholder: "NAME",
    accepts: words.join(", ").replace(/, ([^,]*)$/, " or $1"),
    parse: (text) => words.find((word) => word === text),
    words,
  };
}

/** `on` or `off`, as true or false. */
export function onOff(): ValueType<boolean> {
  const values = new Map([["off", false], ["on", true]]);
  return {
    placeholder: "NAME",
    accepts: "off or on",
    parse: (text) => values.get(text),
    words: [...values.keys()],
  };
}

/** Any text but the empty one. */
export function text(placeholder = "TEXT"): ValueType<string> {
  return { placeholder, accepts: "", parse: (given) => given === "" ? undefined : given };
}

/** A port of this machine, or of one of its addresses: `8080`, `0.0.0.0:8080`, `[::1]:8080`. */
export function listenAddress(): ValueType<string> {
  return {
    placeholder: "HOST:PORT",
    accepts: "a port from 0 to 65535, with an address of this machine or alone for 127.0.0.1",
    parse: (text) => {
      const [, host = "127.0.0.1", port] =
        /^(?:(\[[\da-f:.]+\]|[\w.-]+):)?(\d{1,5})$/i.exec(text) ?? [];
      return port !== undefined && Number(port) <= 65535 ? `${host}:${Number(port)}` : undefined;
    },
  };
}

/** One option of a program. */
export interface OptionSpec {
  /** Its name with dashes, such as `batch-size`; the value's key is this name. */
  readonly name: string;
  /** What it takes. */
  readonly type: ValueType<unknown>;
  /** What the option alone means, where it needs no value. */
  readonly alone?: string;
  /** What it is for, one phrase. */
  readonly help: string;
  /** Added to the help, such as the default in brackets. */
  readonly hint?: string;
  /** The heading it stands under in the help. */
  readonly group: string;
}

/** A program's command line. */
export interface CommandSpec {
  /** What a person types to run it, such as `deno task search`. */
  readonly command: string;
  /** What it does, one or two sentences. */
  readonly summary: string;
  /** Words besides the options, as many as a person gives; none are taken by default. */
  readonly words?: { readonly name: string; readonly help: string };
  /** In the order of the help. */
  readonly options: readonly OptionSpec[];
  /** Text that ends the help. */
  readonly epilogue?: string;
}

/** A program that is several, each with options of its own. */
export interface ProgramSpec {
  /** What a person types to run it, such as `deno task eval`. */
  readonly command: string;
  /** What it does, one or two sentences. */
  readonly summary: string;
  /** Its parts, in the order of the help: the word that names each, and what it does. */
  readonly subcommands: readonly { readonly name: string; readonly summary: string }[];
}

/**
 * Reads the word that names a subcommand.
 *
 * @returns the word and the arguments behind it; or the help, where that was asked for
 * @throws {UsageError} where the first argument names none, suggesting a near one
 */
export function parseSubcommand(
  { command, summary, subcommands }: ProgramSpec,
  args: readonly string[],
): { name: string; args: readonly string[] } | { help: string } {
  const [name, ...rest] = args, names = subcommands.map((subcommand) => subcommand.name);
  if (names.includes(name)) return { name, args: rest };
  if (name === "--help" || name === "-h") {
    const help = newCommand(command, summary).helpCommand(false);
    for (const subcommand of subcommands) {
      help.command(subcommand.name).description(subcommand.summary);
    }
    return { help: help.helpInformation() };
  }
  const wanted = `want ${choice(names).accepts}`;
  if (name === undefined) throw new UsageError(`Cannot tell what to do: ${wanted}`);
  throw new UsageError(`unknown subcommand ${name}: ${wanted}${suggest(name, names)}`);
}

function newCommand(name: string, summary: string): Command {
  return new Command(name)
    .description(summary)
    .helpOption("-h, --help", "show this help")
    .configureHelp({
      helpWidth: HELP_WIDTH,
      optionDescription: ({ description }) => description, // without Commander's word on presets
    })
    .configureOutput({ getOutHasColors: () => false, getErrHasColors: () => false });
}

/** The options that were given, by name, and the other words; or the help, where that was asked for. */
export type ParsedCommandLine =
  | { values: Readonly<Record<string, unknown>>; words: readonly string[] }
  | { help: string };

/**
 * Reads a command line.
 *
 * @throws {UsageError} for an unknown option (suggesting a near one), a missing or an unacceptable value
 */
export function parseCommandLine(spec: CommandSpec, args: readonly string[]): ParsedCommandLine {
  const values: Record<string, unknown> = {};
  let help = "";
  const command = newCommand(spec.command, spec.summary)
    .exitOverride()
    .showSuggestionAfterError(false)
    .configureOutput({
      writeOut: (text) => help += text,
      writeErr: () => {},
    });
  for (const option of spec.options) {
    const { name, type, alone } = option;
    const value = alone === undefined ? `<${type.placeholder}>` : `[${type.placeholder}]`;
    command.addOption(
      new Option(`--${name} ${value}`, helpText(option))
        .preset(alone)
        .helpGroup(option.group)
        .argParser((given) => values[name] = parseValue(option, given)),
    );
  }
  if (spec.words) command.argument(`[${spec.words.name}...]`, spec.words.help);
  if (spec.epilogue) command.addHelpText("after", `\n${spec.epilogue}`);
  try {
    command.parse([...args], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === "commander.helpDisplayed") return { help };
    throw new UsageError(usageSentence(error, spec));
  }
  return { values, words: command.args };
}

function helpText({ help, type, hint }: OptionSpec): string {
  return [type.accepts ? `${help}: ${type.accepts}` : help, hint].filter(Boolean).join(" ");
}

/** Commander's message; an unknown option is compared without its value, which commander includes. */
function usageSentence({ code, message }: CommanderError, { options }: CommandSpec): string {
  if (code !== "commander.unknownOption") return oneLine(message.replace(/^error: /, ""));
  const [, name] = /'(--?[^'=]*)/.exec(message) ?? [];
  return `unknown option ${name}${suggest(name, options.map((option) => `--${option.name}`))}`;
}

function parseValue({ name, type }: OptionSpec, given: string): unknown {
  const value = type.parse(given);
  if (value !== undefined) return value;
  const hint = type.words ? suggest(given, type.words) : "";
  throw new UsageError(`Cannot use --${name}=${given}: want ${type.accepts || "a text"}${hint}`);
}

/** A message without line breaks. */
export function oneLine(message: string): string {
  return message.trim().replace(/\s*\n\s*/g, " ");
}
