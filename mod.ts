/**
 * Progressive differentiable architecture search (P-DARTS) on tfjs tensors: backends, the fused ops that
 * make it fast, cells and genotypes, the search itself, and the data sets.
 *
 * A backend is also a plug-in for any tfjs program: once started it is tfjs's current one.
 *
 * @example The size of the network that a published cell makes
 * ```ts
 * import { countCifarNetwork, formatCounts, PDARTS } from "./mod.ts";
 *
 * console.log(formatCounts(countCifarNetwork(PDARTS)));
 * ```
 *
 * @example A tensor on the SIMD backend
 * ```ts
 * import * as tf from "@tensorflow/tfjs-core";
 * import { startBackend } from "./mod.ts";
 *
 * const { backend } = await startBackend("cpu", { threads: 2 });
 * console.log(backend.description, tf.sum(tf.ones([3, 4])).dataSync());
 * backend.close();
 * ```
 *
 * @module
 */

// Backends and the randomness that is the same on all of them
export * from "./backends/mod.ts";
export type { HostNumber } from "./backends/host_number.ts";
export {
  CounterRandom,
  type MaskSource,
  type RandomKey,
  type RandomState,
} from "./backends/random.ts";

// Fused ops: see backends/ops/ for what each computes
export {
  type Branch,
  branches,
  type BranchesOptions,
  type BranchNorm,
  type BranchOutput,
  type ConvolutionalBranch,
  type ConvolutionBranch,
  type FactorizedReduceBranch,
  type IdentityBranch,
  type NormedBranch,
  type PointwiseBranch,
  type PoolBranch,
  type SeparableBranch,
} from "./backends/ops/branches.ts";
export { globalAveragePool } from "./backends/ops/global_average_pool.ts";
export { type Dropout, normalisedSum, type SumTerm } from "./backends/ops/normalised_sum.ts";
export { runningStatistics } from "./backends/ops/running_statistics.ts";
export { type LossOutput, softmaxCrossEntropy } from "./backends/ops/softmax_cross_entropy.ts";

// Primitives and genotypes, with their JSON, Python form, sizes and drawings
export * from "./nn/primitives.ts";
export * from "./nn/genotypes.ts";
export * from "./nn/genotype_json.ts";
export * from "./nn/genotype_python.ts";
export {
  countCifarNetwork,
  countImageNetNetwork,
  countSupernet,
  type EvaluationCountOptions,
  type NetworkCounts,
  type SupernetCountOptions,
} from "./nn/count.ts";
export type { PartCounts } from "./nn/count_cells.ts";
export type { Counts, ImageShape } from "./nn/count_ops.ts";
export { formatCounts } from "./nn/count_table.ts";
export { cellSvg, svgToPng } from "./nn/draw.ts";
export { cellText } from "./nn/draw_text.ts";

// The search: its config, a run from stage to stage, and the discrete steps on their own
export * from "./search/config.ts";
export type {
  AugmentationConfig,
  Changes,
  CommonConfig,
  NormalisationConfig,
  SgdConfig,
} from "./nn/training_config.ts";
export type { FolderConfig } from "./nn/folder_config.ts";
export type { BatchNormConfig } from "./nn/batch_norm.ts";
export { MEMORY_MODES, type MemoryMode } from "./nn/recompute.ts";
export { NETWORK_KINDS, type NetworkKind } from "./nn/stem.ts";
export { type Schedule, SCHEDULES } from "./nn/schedules.ts";
export { Search, type SearchOptions } from "./search/search.ts";
export type { SearchResult } from "./search/run_summary.ts";
export type { StageSettings } from "./search/stage_settings.ts";
export {
  type EpochBatches,
  SearchProgress,
  type SearchProgressOptions,
} from "./search/search_progress.ts";
export type { Checkpoint } from "./nn/checkpoint.ts";
export { type LineLengths, prepareRunFolder, RunFolder, type RunRecords } from "./nn/run_folder.ts";
export { ProgressLine, type ProgressOutput, standardOutput } from "./nn/progress.ts";
export { type RunModel, RunProgress } from "./nn/run_progress.ts";
export type { StepLoopOptions } from "./nn/step_loop.ts";
export type { Report, Sums } from "./nn/metrics.ts";
export type { Phase, SearchState } from "./search/search_state.ts";
export type { EdgeWeights, KeptPrimitives } from "./search/edge_weights.ts";
export { type DropOptions, dropPrimitives } from "./search/drop.ts";
export { deriveGenotype } from "./search/derive.ts";
export {
  genotypeOfAtMost,
  type RestrictedGenotype,
  type RestrictedSkips,
  restrictSkips,
} from "./search/restrict_skips.ts";

// The evaluation: the network of a genotype, its training, and inference with folded batch norms
export {
  type ArchitectureConfig,
  EVALUATION_DATASETS,
  type EvaluationDataset,
  type Preset as TrainingPreset,
  PRESETS as TRAINING_PRESETS,
  type TrainingConfig,
  trainingConfig,
} from "./evaluate/config.ts";
export {
  EvaluationNetwork,
  type NetworkOptions,
  type NetworkOutput,
  type NetworkPass,
} from "./evaluate/network.ts";
export {
  type AuxiliaryConfig,
  type EpochRates,
  NetworkTrainer,
  REPORT_KINDS as TRAINING_REPORT_KINDS,
  type ReportKind as TrainingReportKind,
  type TrainerState,
  type TrainingSettings,
} from "./evaluate/network_trainer.ts";
export { type FoldedNetwork, foldNetwork } from "./evaluate/folded_network.ts";
export { type FoldedBranch, FoldedNorms } from "./nn/folded_norms.ts";
export { type BatchNorm, Parameters } from "./nn/parameters.ts";
export { BatchNormUpdates, type NormedBranch as NetworkBranch } from "./nn/batch_norm.ts";
export type { Batch as TrainingBatch } from "./nn/batch.ts";

// Weights in and out: PyTorch's files of either format, safetensors, run folders
export {
  describeWeights,
  type NetworkDescription,
  type NetworkSizes,
} from "./evaluate/weights/describe_weights.ts";
export { loadWeights, type WantedNetwork } from "./evaluate/weights/load_weights.ts";
export { readWeights, readWeightsFile, type WeightsFile } from "./evaluate/weights/read_weights.ts";
export { type TorchFormat, writeTorchFile } from "./evaluate/weights/write_torch_file.ts";
export type { HostData, HostTensor } from "./nn/safetensors.ts";
export type { ExpectedTensor, StateDict } from "./nn/state_dict.ts";

// Data sets
export * from "./datasets/mod.ts";
