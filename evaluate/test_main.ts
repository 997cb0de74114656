/** `deno task eval test`: loss and accuracy of trained weights on the test set, class by class. */

import { RunImages, UNREADABLE_FILE } from "../datasets/run_images.ts";
import type { Dataset } from "../datasets/types.ts";
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
  type OptionRow,
  withHint,
  withOptions,
} from "../nn/config_options.ts";
import { svgToPng } from "../nn/draw.ts";
import { type FolderConfig, IMAGENET_FOLDER, isFolder } from "../nn/folder_config.ts";
import { checkFolderOptions, FOLDER_OPTIONS } from "../nn/folder_options.ts";
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
import { classAccuracies, testNetwork, type TestResult, worstClasses } from "./test_network.ts";
import type { EvaluationEnvironment } from "./train_main.ts";
import { loadModel, type ModelDescription, readModel } from "./trained_network.ts";
import { testLoader } from "./training_data.ts";
import { percent } from "./training_summary.ts";
import { firstOtherClass } from "./weights/class_names.ts";
import { printableReason } from "./weights/weights_error.ts";

const DEFAULT_BATCH = 128;
/** Classes whose accuracies the terminal lists, and how many of more. */
const MOST_LISTED = 100, FEW_LISTED = 20;

/** Options of a folder that a test has too. */
const FOLDER_TEST_ROWS = FOLDER_OPTIONS
  .filter(({ name }) => ["val-share", "classes", "image-size", "resize"].includes(name))
  .map(({ name, key, type, help }): OptionRow => [name, key, type, help]);

const TEST_COMMAND: CommandSpec = {
  command: "deno task eval test",
  summary: "Tests trained weights: a training's run folder, a safetensors file, or PyTorch's. " +
    "On a folder of images their classes must have the names of the folder's.",
  options: [
    ...optionGroup("Test:", [
      ...MODEL_ROWS,
      withHint(datasetRow(EVALUATION_DATASETS), "(default: the training's, or by the network)"),
      ["batch", "", integer({ min: 1 }), "images at once", { hint: `(default: ${DEFAULT_BATCH})` }],
      ["test-images", "", integer({ min: 1 }), "test images to use", { hint: "(default: all)" }],
      ...NORMALISATION_ROWS.map((row) =>
        withHint(row, "(default: the training's, or the data set's)")
      ),
      ...FOLDER_TEST_ROWS.map((row) => withHint(row, "(default: the training's)")),
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
  const wanted = dataOf(model, given);
  prepareRunFolder(save);
  const line = new ProgressLine(output);
  try {
    const backend = await startChosen(run, startBackend, line);
    const data = await loadData({
      ...wanted,
      data: run.data,
      seed: model.config?.seed ?? 0,
      onProgress: (message) => line.print(message),
    });
    checkClasses(model, data);
    const { folder } = wanted, config = { folder, augmentation: { flipProbability: 0 } };
    using images = new RunImages({ ...run, data, config, path: save });
    const begun = performance.now();
    const result = await testModel(model, { images, given, line }).finally(() => images.save());
    const seconds = (performance.now() - begun) / 1000;
    await writeReport(save, result, { model, data });
    const memory = backend.memory().peak;
    const { unreadable } = images;
    line.print(reportText(result, { data, seconds, memory, unreadable, save }));
    return "done";
  } finally {
    removeIfThere(save); // only if it is empty
  }
}

/**
 * The data set that is given, that of the training, or what the network is made for; and of a folder what
 * is given, as in the training, or as on ImageNet.
 *
 * @throws {UsageError} for options of folders with another data set, and a folder without its path
 */
function dataOf(
  { config, classes, network }: ModelDescription,
  given: GivenOptions,
): { name: EvaluationDataset; folder: FolderConfig | null } {
  const guess = network === "imagenet" ? "imagenet" : classes === 100 ? "cifar100" : "cifar10";
  const name = given.dataset as EvaluationDataset ?? config?.dataset ?? guess;
  checkFolderOptions(given, name);
  if (!isFolder(name)) return { name, folder: null };
  const folder = withOptions({ folder: config?.folder ?? IMAGENET_FOLDER }, given, FOLDER_OPTIONS)
    .folder;
  // A share belongs to one folder of classes; one with a part for the test is used as it is.
  const whole = !("val-share" in given) && hasTestPart(given.data as string);
  return { name, folder: whole ? { ...folder, valShare: null } : folder };
}

function hasTestPart(data: string): boolean {
  try {
    return Deno.statSync(`${data}/val`).isDirectory;
  } catch {
    return false; // what is wrong with the folder is said where it is read
  }
}

/** Checks that the classes of the weights are those of the data, by name where the names are known. */
function checkClasses({ path, classes, classNames }: ModelDescription, data: Dataset): void {
  const other = classNames
    ? firstOtherClass(data.classes, classNames)
    : classes === data.classes.length
    ? undefined
    : `it has ${classes} classes, not ${data.classes.length}`;
  if (other) throw new RunError(`Cannot test ${path} on ${data.name}: ${other}`);
}

async function testModel(
  model: ModelDescription,
  { images: { sources }, given, line }: {
    images: RunImages;
    given: GivenOptions;
    line: ProgressLine;
  },
): Promise<TestResult> {
  const { classes, config } = model, { data } = sources;
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
  { model, data }: { model: ModelDescription; data: Dataset },
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
  { data, seconds, memory, unreadable, save }: {
    data: Dataset;
    seconds: number;
    memory: number;
    unreadable: number;
    save: string;
  },
): string {
  return [
    "",
    ...classLines(data.classes, confusion),
    "",
    `Loss ${loss.toFixed(4)}, top-1 ${percent(top1)} (error ${percent(1 - top1)}), ` +
    `top-5 ${percent(top5)}`,
    `${samples} images in ${formatDuration(1000 * seconds)}, ${(memory / 1e6).toFixed(0)} MB`,
    ...(unreadable > 0 ? [`Unreadable images: ${unreadable}, listed in ${UNREADABLE_FILE}`] : []),
    `Report: ${save}`,
  ].join("\n");
}

/** The accuracy of each class; of many classes the lowest alone. */
function classLines(classes: readonly string[], confusion: TestResult["confusion"]): string[] {
  const accuracies = classAccuracies(confusion), many = classes.length > MOST_LISTED;
  const shown = many ? worstClasses(confusion, FEW_LISTED) : classes.map((_, label) => label);
  const names = shown.map((label) => printableReason(classes[label]));
  const width = Math.max(...names.map((name) => name.length));
  return [
    ...(many ? [`The lowest of ${classes.length} classes (all are in test.json):`] : []),
    ...shown.map((label, row) =>
      `${names[row].padEnd(width)}  ${percent(accuracies[label]).padStart(8)}`
    ),
  ];
}
