/** `deno task eval export`: trained weights as a file for PyTorch or as safetensors. */

import { type CommandSpec, parseCommandLine, text, UsageError } from "../nn/command_line.ts";
import { optionGroup } from "../nn/config_options.ts";
import { replaceFile } from "../nn/run_files.ts";
import { type Outcome, requestAccess } from "../nn/run_main.ts";
import { encodeSafetensors } from "../nn/safetensors.ts";
import type { EvaluationEnvironment } from "./train_main.ts";
import { readWeightsFile } from "./weights/read_weights.ts";
import { writeTorchFile } from "./weights/write_torch_file.ts";

const EXPORT_COMMAND: CommandSpec = {
  command: "deno task eval export",
  summary: "Writes trained weights as .pt, .pth or .pth.tar, which PyTorch loads, or .safetensors.",
  options: optionGroup("Export:", [
    ["model", "", text("FILE|RUN"), "a file of weights, or a training's run folder", { hint: "" }],
    ["save", "", text("FILE"), "the file to write", { hint: "" }],
  ]),
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
  const { model, save } = parsed.values as { model?: string; save?: string };
  if (!model || !save) throw new UsageError(`Cannot export without --${model ? "save" : "model"}`);
  const extension = /\.(pt|pth|pth\.tar|safetensors)$/.exec(save)?.[1];
  if (!extension) {
    throw new UsageError(
      `Cannot export to --save=${save}: want a name in .pt, .pth, .pth.tar or .safetensors`,
    );
  }
  requestAccess([
    { option: "--model", path: model, kinds: ["read"] },
    { option: "--save", path: save, kinds: ["read", "write"] },
  ], program);
  const { weights, metadata } = await readWeightsFile(model);
  if (extension === "safetensors") replaceFile(save, encodeSafetensors(weights, metadata));
  else await writeTorchFile(save, weights);
  output.write(`${save}: ${weights.size} tensors\n`);
  return "done";
}
