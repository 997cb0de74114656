/** `deno task eval test`: loss and accuracy of trained weights on the test set, class by class. */

import { BatchSources } from "../datasets/batch_sources.ts";
import type { ImageDataset } from "../datasets/types.ts";
import {
  type CommandSpec,
  integer,
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
  withOptions,
} from "../nn/config_options.ts";
import { svgToPng } from "../nn/draw.ts";
import { formatDuration, ProgressLine } from "../nn/progress.ts";
import { removeIfThere, replaceFile, RunError } from "../nn/run_files.ts";
import { prepareRunFolder } from "../nn/run_folder.ts";
import { type Access, type Outcome, requestAccess } from "../nn/run_main.ts";
import { BACKEND_OPTIONS, optionsOfRun, RUN_DEFAULTS } from "../nn/run_options.ts";
import { dataAccesses, startChosen, timeStamp } from "../nn/run_program.ts";
import { architectureAccesses } from "./architecture.ts";
import { confusionSvg } from "./confusion_drawing.ts";
import { EVALUATION_DATASETS, type EvaluationDataset } from "./config.ts";
import { foldNetwork } from "./folded_network.ts";
import { architectureOf, MODEL_ROWS } from "./model_options.ts";
import { classAccuracies, testNetwork, type TestResult } from "./test_network.ts";
import type { EvaluationEnvironment } from "./train_main.ts";
import { loadModel, type ModelDescription, readModel } from "./trained_network.ts";
import { testLoader } from "./training_data.ts";
import { percent } from "./training_summary.ts";

const DEFAULT_BATCH = 128;

const TEST_COMMAND: CommandSpec = {
  command: "deno task eval test",
  summary: "Tests trained weights: a training's run folder, a safetensors file, or PyTorch's.",
  options: [
    ...optionGroup("Test:", [
      ...MODEL_ROWS,
      withHint(datasetRow(EVALUATION_DATASETS), "(default: the training's, or by classes)"),
      ["batch", "", integer({ min: 1 }), "images at once", { hint: `(default: ${DEFAULT_BATCH})` }],
      ["test-images", "", integer({ min: 1 }), "test images to use", { hint: "(default: all)" }],
      ...NORMALISATION_ROWS.map((row) =>
        withHint(row, "(default: the training's, or the data set's)")
      ),
      ["save", "", text("DIR"), "where the report goes", {
        hint: "(default: runs/test-DATE-TIME)",
      }],
    ]),
    ...optionsOfRun(BACKEND_OPTIONS),
  ],
};

/** Runs the program. */
export async function testMain(
  args: readonly string[],
  { program, output, startBackend, loadData }: EvaluationEnvironment,
): Promise<Outcome> {
  const parsed = parseCommandLine(TEST_COMMAND, args);
  if ("help" in parsed) {
    output.write(parsed.help);
    return "done";
  }
  const given = parsed.values;
  if (given.model === undefined) throw new UsageError("Cannot test without --model");
  const path = given.model as string;
  const save = given.save as string ?? `runs/test-${timeStamp(new Date())}`;
  const run = withOptions(RUN_DEFAULTS, given, BACKEND_OPTIONS);
  const accesses: Access[] = [
    { option: "--model", path, kinds: ["read"] },
    { option: "--save", path: save, kinds: ["read", "write"] },
    ...dataAccesses(run),
    ...architectureAccesses(given.arch),
  ];
  requestAccess(accesses, program);
  const model = await readModel(path, architectureOf(given));
  prepareRunFolder(save);
  const line = new ProgressLine(output);
  try {
    const backend = await startChosen(run, startBackend, line);
    const data = await loadData({
      name: datasetOf(model, given),
      data: run.data,
      onProgress: (message) => line.print(message),
    });
    const begun = performance.now();
    const result = await testModel(model, { data, given, line });
    const seconds = (performance.now() - begun) / 1000;
    await writeReport(save, result, { model, data });
    const memory = backend.memory().peak;
    line.print(reportText(result, { data, seconds, memory, save }));
    return "done";
  } finally {
    removeIfThere(save); // only if it is empty
  }
}

/** The data set that is given, that of the training, or that of as many classes. */
function datasetOf({ config, classes }: ModelDescription, given: GivenOptions): EvaluationDataset {
  return given.dataset as EvaluationDataset ?? config?.dataset ??
    (classes === 100 ? "cifar100" : "cifar10");
}

async function testModel(
  model: ModelDescription,
  { data, given, line }: { data: ImageDataset; given: GivenOptions; line: ProgressLine },
): Promise<TestResult> {
  const { classes, config, path } = model;
  if (classes !== data.classes.length) {
    throw new RunError(
      `Cannot test ${path} on ${data.name}: it has ${classes} classes, not ${data.classes.length}`,
    );
  }
  const images = given["test-images"] as number ?? data.test.count;
  if (images > data.test.count) {
    throw new RunError(`Cannot test on ${images} images: the data set has ${data.test.count}`);
  }
  const { mean, std } = config?.normalisation ?? {};
  const statistics = {
    mean: given.mean as number[] ?? mean ?? data.mean,
    std: given.std as number[] ?? std ?? data.std,
  };
  const batchSize = given.batch as number ?? DEFAULT_BATCH;
  using sources = new BatchSources(data);
  const loader = testLoader(sources, { statistics, batchSize, images });
  const network = await loadModel(model);
  using folded = foldNetwork(network);
  let done = 0;
  const onBatch = (size: number) => line.update([`test ${done += size}/${images}`]);
  try {
    return await testNetwork((input) => folded.forward(input), loader, { classes, onBatch });
  } finally {
    line.clear();
    network.parameters.dispose();
  }
}

async function writeReport(
  folder: string,
  result: TestResult,
  { model, data }: { model: ModelDescription; data: ImageDataset },
): Promise<void> {
  const { path, arch, layers, channels } = model, { confusion, ...report } = result;
  const json = {
    model: path,
    network: { arch, layers, channels },
    dataset: data.name,
    ...report,
    classes: data.classes,
    accuracies: classAccuracies(confusion),
    confusion,
  };
  const title = `${data.name}: top-1 ${percent(report.top1)} of ${report.samples} images`;
  const svg = confusionSvg(confusion, { classes: data.classes, title });
  replaceFile(`${folder}/test.json`, JSON.stringify(json) + "\n");
  replaceFile(`${folder}/confusion.svg`, svg);
  replaceFile(`${folder}/confusion.png`, await svgToPng(svg, { scale: 1 }));
}

function reportText(
  { loss, top1, top5, samples, confusion }: TestResult,
  { data, seconds, memory, save }: {
    data: ImageDataset;
    seconds: number;
    memory: number;
    save: string;
  },
): string {
  const width = Math.max(...data.classes.map((name) => name.length));
  const accuracies = classAccuracies(confusion);
  return [
    "",
    ...data.classes.map((name, label) =>
      `${name.padEnd(width)}  ${percent(accuracies[label]).padStart(8)}`
    ),
    "",
    `Loss ${loss.toFixed(4)}, top-1 ${percent(top1)} (error ${percent(1 - top1)}), ` +
    `top-5 ${percent(top5)}`,
    `${samples} images in ${formatDuration(1000 * seconds)}, ${(memory / 1e6).toFixed(0)} MB`,
    `Report: ${save}`,
  ].join("\n");
}
