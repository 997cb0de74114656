/**
 * `deno task eval export`: trained weights as a file for PyTorch or as safetensors, or the network with
 * all that it needs as ONNX or as a GraphModel of TensorFlow.js.
 */

import {
  choice,
  type CommandSpec,
  integer,
  onOff,
  parseCommandLine,
  text,
  UsageError,
} from "../nn/command_line.ts";
import {
  datasetRow,
  type GivenOptions,
  NORMALISATION_ROWS,
  optionGroup,
  withHint,
} from "../nn/config_options.ts";
import { toJson } from "../nn/genotype_json.ts";
import { attempt, replaceFile } from "../nn/run_files.ts";
import { type Access, type Outcome, requestAccess } from "../nn/run_main.ts";
import { encodeSafetensors } from "../nn/safetensors.ts";
import { architectureAccesses } from "./architecture.ts";
import { EVALUATION_DATASETS } from "./config.ts";
import type { Graph } from "./export/graph.ts";
import { encodeGraphModel } from "./export/graph_model.ts";
import { modelGraph, type ModelGraphOptions } from "./export/model_graph.ts";
import { encodeOnnx, ONNX_OPSET } from "./export/onnx.ts";
import { architectureOf, MODEL_ROWS } from "./model_options.ts";
import type { EvaluationEnvironment } from "./train_main.ts";
import { readModel } from "./trained_network.ts";
import { readWeightsFile } from "./weights/read_weights.ts";
import { writeTorchFile } from "./weights/write_torch_file.ts";

const FORMATS = ["pytorch", "safetensors", "onnx", "graph-model"] as const;
type Format = typeof FORMATS[number];

const OF_EXTENSION: readonly (readonly [RegExp, Format])[] = [
  [/\.(pt|pth|pth\.tar)$/, "pytorch"],
  [/\.safetensors$/, "safetensors"],
  [/\.onnx$/, "onnx"],
];

const NETWORK_OPTIONS = optionGroup("Network (ONNX and graph-model):", [
  ...MODEL_ROWS.slice(1),
  ["fold", "", onOff(), "whether batch norms go into the convolutions", { hint: "(default: on)" }],
  withHint(datasetRow(EVALUATION_DATASETS), "(default: the training's, or by classes)"),
  ["class-names", "", text("FILE"), "names of the classes, one a line", {
    hint: "(default: the training's, or the data set's)",
  }],
  ["image-size", "", integer({ min: 1 }), "side of its images in pixels", {
    hint: "(default: 32, of ImageNet 224)",
  }],
  ...NORMALISATION_ROWS.map((row) => withHint(row, "(default: the training's, or the data set's)")),
]);

const EXPORT_COMMAND: CommandSpec = {
  command: "deno task eval export",
  summary:
    "Writes trained weights as .pt, .pth or .pth.tar, which PyTorch loads, or .safetensors; " +
    "or the network, from pixels to probabilities and names, as .onnx or as a folder for TensorFlow.js.",
  options: [
    ...optionGroup("Export:", [
      MODEL_ROWS[0],
      ["save", "", text("FILE|DIR"), "the file to write, or the folder of a graph-model", {
        hint: "",
      }],
      ["format", "", choice(FORMATS), "what to write", { hint: "(default: by the file's name)" }],
    ]),
    ...NETWORK_OPTIONS,
  ],
};

/** Runs the program. */
export async function exportMain(
  args: readonly string[],
  { program, output }: Pick<EvaluationEnvironment, "program" | "output">,
): Promise<Outcome> {
  const parsed = parseCommandLine(EXPORT_COMMAND, args);
  if ("help" in parsed) {
    output.write(parsed.help);
    return "done";
  }
  const given = parsed.values, { model, save } = given as { model?: string; save?: string };
  if (!model || !save) throw new UsageError(`Cannot export without --${model ? "save" : "model"}`);
  const format = formatOf(save, given);
  requestAccess([
    { option: "--model", path: model, kinds: ["read"] },
    { option: "--save", path: save, kinds: ["read", "write"] },
    ...classNamesAccesses(given),
    ...architectureAccesses(given.arch),
  ], program);
  const written = format === "onnx" || format === "graph-model"
    ? await exportNetwork(model, { save, format, given })
    : await exportWeights(model, { save, format });
  output.write(`${save}: ${written}\n`);
  return "done";
}

/** The format that is given, or that of the file's extension. */
function formatOf(save: string, given: GivenOptions): Format {
  const extension = OF_EXTENSION.find(([pattern]) => pattern.test(save))?.[1];
  const format = given.format as Format ?? extension;
  if (!format) {
    throw new UsageError(
      `Cannot export to --save=${save}: want a name in .pt, .pth, .pth.tar, .safetensors or .onnx, or ` +
        `--format=graph-model`,
    );
  }
  const other = NETWORK_OPTIONS.find(({ name }) => name in given);
  if (other && (format === "pytorch" || format === "safetensors")) {
    throw new UsageError(
      `Cannot export to --save=${save} with --${other.name}: it holds weights alone`,
    );
  }
  return format;
}

function classNamesAccesses(given: GivenOptions): Access[] {
  const path = given["class-names"] as string | undefined;
  return path === undefined ? [] : [{ option: "--class-names", path, kinds: ["read"] }];
}

/** Writes weights; returns what was written. */
async function exportWeights(
  model: string,
  { save, format }: { save: string; format: "pytorch" | "safetensors" },
): Promise<string> {
  const { weights, metadata } = await readWeightsFile(model);
  if (format === "safetensors") replaceFile(save, encodeSafetensors(weights, metadata));
  else await writeTorchFile(save, weights);
  return `${weights.size} tensors`;
}

/** Writes the network; returns what was written. */
async function exportNetwork(
  path: string,
  { save, format, given }: { save: string; format: "onnx" | "graph-model"; given: GivenOptions },
): Promise<string> {
  const model = await readModel(path, architectureOf(given));
  const graph = modelGraph(model, graphOptions(given));
  const metadata = { arch: model.arch, genotype: toJson(model.genotype) };
  if (format === "onnx") {
    replaceFile(save, encodeOnnx(graph, metadata));
    return `ONNX of operator set ${ONNX_OPSET}, ${
      inputOf(graph, "uint8")
    } to logits, probabilities, label`;
  }
  attempt(`write ${save}`, () => Deno.mkdirSync(save, { recursive: true }));
  // The file that names the others comes last.
  const files = [...encodeGraphModel(graph, metadata)].toReversed();
  for (const [name, bytes] of files) replaceFile(`${save}/${name}`, bytes);
  return `GraphModel in ${files.length} files, ${inputOf(graph, "int32")} to logits, probabilities`;
}

function graphOptions(given: GivenOptions): ModelGraphOptions {
  const { fold, dataset, mean, std } = given as ModelGraphOptions;
  return {
    fold,
    dataset,
    mean,
    std,
    classNames: given["class-names"] as string | undefined,
    imageSize: given["image-size"] as number | undefined,
  };
}

function inputOf({ input: { name, size } }: Graph, type: string): string {
  return `${name} ${type} [N, ${size}, ${size}, 3]`;
}
