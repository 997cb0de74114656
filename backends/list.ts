/**
 * Lists the backends of this project and what they run on here, for people: `deno task backends`.
 *
 * Each is started, as only that tells whether it can be; one that cannot has the reason in its place.
 */

import {
  ADAPTER_CHOICES,
  type AdapterChoice,
  BACKEND_NAMES,
  BackendError,
  type BackendName,
} from "./contract.ts";
import type { FoundLibrary } from "./cudnn/ffi/discovery.ts";
import { loadLibraries, located } from "./cudnn/ffi/load.ts";
import type { LibraryVersions } from "./cudnn/ffi/open.ts";
import { STARTERS } from "./starters.ts";
import { type AdapterDescription, openDevice } from "./webgpu/device.ts";

/** Columns of the list. */
const WIDTH = 80;

/** Something to compute on, or the reason why it cannot be used. */
export interface ListedDevice {
  /** Its name, or one sentence. */
  title: string;
  /** Labels, and the lines beside each. */
  details: [label: string, lines: string[]][];
}

/** A backend with all that it can run on. */
export interface ListedBackend {
  name: string;
  devices: ListedDevice[];
}

/** Starts each backend in turn, and ends it. */
export async function listBackends(): Promise<ListedBackend[]> {
  const list: ListedBackend[] = [];
  for (const name of BACKEND_NAMES) {
    if (name === "webgpu") {
      list.push({ name, devices: await listAdapters(describe) });
      continue;
    }
    if (name === "cudnn") {
      list.push({ name, devices: [await describeCudnn()] });
      continue;
    }
    list.push({ name, devices: [{ title: await startedTitle(name), details: [] }] });
  }
  return list;
}

async function startedTitle(name: BackendName): Promise<string> {
  try {
    const backend = await STARTERS[name]({});
    backend.close();
    return backend.description.replace(`${name}, `, "");
  } catch (error) {
    if (error instanceof BackendError) return error.message;
    throw error;
  }
}

async function describeCudnn(): Promise<ListedDevice> {
  const discovery = located();
  if (discovery.problem !== undefined) return listedLibraries(discovery.problem, discovery.found);
  return listedLibraries(await startedTitle("cudnn"), discovery.found, openedVersions());
}

/** Versions of NVIDIA's libraries; nothing where they cannot be opened, as the title then says. */
function openedVersions(): LibraryVersions | undefined {
  try {
    return loadLibraries().versions;
  } catch (error) {
    if (error instanceof BackendError) return undefined;
    throw error;
  }
}

/** A card, or the reason why there is none, with the libraries found: version, what named it, file. */
export function listedLibraries(
  title: string,
  found: readonly FoundLibrary[],
  versions?: LibraryVersions,
): ListedDevice {
  return {
    title,
    details: found.map(({ library, path, from }) => {
      const version = versions && versionOf(library, versions);
      return [library, [version ? `${version}, from ${from}` : `from ${from}`, path]];
    }),
  };
}

/** The version of a library of this name; nothing for one of another CUDA than the one opened. */
function versionOf(library: string, versions: LibraryVersions): string | undefined {
  const [, name, major] = library.match(/^lib(\w+)\.so\.(\d+)$/) ?? [];
  const version = versions[name as keyof LibraryVersions];
  return name === "cuda" || version?.startsWith(`${major}.`) ? version : undefined;
}

async function describe(choice: AdapterChoice): Promise<AdapterDescription> {
  const { device, description } = await openDevice(choice);
  device.destroy();
  return description;
}

/**
 * The adapters behind all choices, equal ones once, and why there is none for the others; one reason
 * where there is no adapter at all.
 *
 * @param open Describes an adapter once its device has been opened.
 */
export async function listAdapters(
  open: (choice: AdapterChoice) => Promise<AdapterDescription>,
): Promise<ListedDevice[]> {
  const found = new Map<string, { adapter: AdapterDescription; choices: AdapterChoice[] }>();
  const failed = new Map<string, AdapterChoice[]>();
  for (const choice of ADAPTER_CHOICES) {
    try {
      const adapter = await open(choice), key = JSON.stringify(adapter);
      found.set(key, { adapter, choices: [...found.get(key)?.choices ?? [], choice] });
    } catch (error) {
      if (!(error instanceof BackendError)) throw error;
      failed.set(error.message, [...failed.get(error.message) ?? [], choice]);
    }
  }
  if (found.size === 0) return [{ title: [...failed.keys()][0], details: [] }];
  return [
    ...found.values().map(({ adapter, choices }) => listedAdapter(adapter, choices)),
    ...failed.entries().map(([title, choices]): ListedDevice => ({
      title,
      details: [["--adapter", [choices.join(", ")]]],
    })),
  ];
}

function listedAdapter(
  { name, vendor, software, limits, features }: AdapterDescription,
  choices: AdapterChoice[],
): ListedDevice {
  const rows = Object.entries(limits).map(([key, value]) => [key, value.toLocaleString("en-US")]);
  return {
    title: name,
    details: [
      ["vendor", [VENDORS[vendor] ?? vendor]],
      ["kind", [software ? "software" : "GPU"]],
      ["--adapter", [choices.join(", ")]],
      ["limits", aligned(rows)],
      ["features", wrapped(features.join(", ").split(" "), FEATURES_WIDTH)],
    ],
  };
}

/** Columns of a line of features: with names and labels beside it, it keeps within {@linkcode WIDTH}. */
const FEATURES_WIDTH = 55;

/** Names of the numbers that Vulkan and DirectX give for a vendor. */
const VENDORS: Readonly<Record<string, string>> = {
  [0x1002]: "AMD",
  [0x1010]: "Imagination",
  [0x106b]: "Apple",
  [0x10de]: "NVIDIA",
  [0x13b5]: "Arm",
  [0x1414]: "Microsoft",
  [0x5143]: "Qualcomm",
  [0x8086]: "Intel",
  [0x10005]: "Mesa",
};

/** Two columns, the second flush right. */
function aligned(rows: string[][]): string[] {
  const [left, right] = [0, 1].map((at) => Math.max(...rows.map((row) => row[at].length)));
  return rows.map(([key, value]) => `${key.padEnd(left)}  ${value.padStart(right)}`);
}

/** Words in lines; one that is longer than a line has its own. */
function wrapped(words: readonly string[], width: number): string[] {
  const lines = [""];
  for (const word of words) {
    const line = lines[lines.length - 1];
    if (line === "") lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines;
}

/** The list as text: names at the left, what belongs to them in columns beside it. */
export function backendsText(list: readonly ListedBackend[]): string {
  const name = Math.max(...list.map((backend) => backend.name.length)) + 2;
  const labels = list.flatMap(({ devices }) => devices.flatMap(({ details }) => details));
  const label = Math.max(0, ...labels.map(([text]) => text.length)) + 2;
  const blocks = list.flatMap((backend) =>
    backend.devices.map(({ title, details }, index) =>
      [
        ...wrapped(title.split(" "), WIDTH - name).map((line, at) =>
          `${(index + at === 0 ? backend.name : "").padEnd(name)}${line}`
        ),
        ...details.flatMap(([text, lines]) =>
          lines.map((line, at) =>
            `${" ".repeat(name)}${(at === 0 ? text : "").padEnd(label)}${line}`.trimEnd()
          )
        ),
      ].join("\n")
    )
  );
  return `${blocks.join("\n\n")}\n`;
}
