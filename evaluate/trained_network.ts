/**
 * A network with the weights that a person names: its sizes are read from the weights, its genotype from
 * the file's metadata, `--arch`, or the stored genotype that alone fits.
 */

import { CounterRandom } from "../backends/random.ts";
import { BATCH_NORM } from "../nn/batch_norm.ts";
import { fromJson } from "../nn/genotype_json.ts";
import { type Genotype, GENOTYPES } from "../nn/genotypes.ts";
import { RunError } from "../nn/run_files.ts";
import type { NetworkKind } from "../nn/stem.ts";
import type { ArchitectureConfig, TrainingConfig } from "./config.ts";
import { genotypeOf } from "./architecture.ts";
import { EvaluationNetwork } from "./network.ts";
import { describeWeights } from "./weights/describe_weights.ts";
import { loadWeights } from "./weights/load_weights.ts";
import { readWeightsFile, type WeightsFile } from "./weights/read_weights.ts";

/** What weights are, before a network is made for them. */
export interface ModelDescription {
  /** The file. */
  readonly path: string;
  /** The genotype's name or file. */
  readonly arch: string;
  readonly genotype: Genotype;
  /** Which stem it has. */
  readonly network: NetworkKind;
  readonly layers: number;
  readonly channels: number;
  readonly classes: number;
  /** Whether the weights have the auxiliary head's. */
  readonly auxiliary: boolean;
  /** How they were trained, where the file tells. */
  readonly config: TrainingConfig | undefined;
  /** The weights. */
  readonly file: WeightsFile;
}

/**
 * Reads weights and finds out what network they are of.
 *
 * @param path A file or a training's run folder.
 * @throws {RunError} when they cannot be read, are no evaluation network's, or do not tell their genotype
 */
export async function readModel(
  path: string,
  architecture: ArchitectureConfig | undefined,
): Promise<ModelDescription> {
  const file = await readWeightsFile(path);
  const { genotypes, ...sizes } = described(file);
  const config = file.metadata.config === undefined
    ? undefined
    : JSON.parse(file.metadata.config) as TrainingConfig;
  const own = file.metadata.genotype;
  if (architecture) {
    const genotype = genotypeOf(architecture);
    return { path: file.path, arch: architecture.source, genotype, config, file, ...sizes };
  }
  if (own !== undefined) {
    const arch = config?.architecture.source ?? "its own genotype";
    return { path: file.path, arch, genotype: fromJson(own), config, file, ...sizes };
  }
  if (genotypes.length !== 1) {
    const fitting = genotypes.length === 0 ? "no stored genotype" : genotypes.join(" and ");
    throw new RunError(
      `Cannot tell the genotype of ${file.path}: ${fitting} would fit; give it with --arch`,
    );
  }
  const [arch] = genotypes;
  return { path: file.path, arch, genotype: GENOTYPES[arch], config, file, ...sizes };
}

function described({ path, weights }: WeightsFile) {
  try {
    return describeWeights(weights);
  } catch (error) {
    throw new RunError(`Cannot use ${path}: ${(error as Error).message}`, { cause: error });
  }
}

/**
 * Makes the network and gives it its weights, on tfjs's current backend. The caller disposes its
 * `parameters`.
 *
 * @throws {RunError} naming the first weight that does not fit
 */
export async function loadModel(model: ModelDescription): Promise<EvaluationNetwork> {
  const { path, config, file } = model;
  const { epsilon } = config?.batchNorm ?? BATCH_NORM;
  const made = new EvaluationNetwork({ ...model, batchNorm: { epsilon } }, new CounterRandom(0));
  try {
    await loadWeights(made, file.weights, { path, wanted: model });
    return made;
  } catch (error) {
    made.parameters.dispose();
    throw error;
  }
}
