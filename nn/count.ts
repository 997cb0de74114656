/**
 * Parameters and multiply-adds of whole networks, part by part: the evaluation networks of
 * a genotype for CIFAR and ImageNet, and the supernet. `count_ops.ts` says what counts.
 *
 * Invariant: a network's totals are the sums over its parts.
 *
 * Source: arXiv 1904.12760, section 4; the networks are those of arXiv 1806.09055.
 */

import { countCells, nodesOfGenotype, nodesOfSupernet, type PartCounts } from "./count_cells.ts";
import { Counter, type Counts, type ImageShape } from "./count_ops.ts";
import type { Genotype } from "./genotypes.ts";
import { EDGES, type Primitive } from "./primitives.ts";

export type { PartCounts } from "./count_cells.ts";
export type { Counts, ImageShape } from "./count_ops.ts";

/** A network's totals and its parts in order. */
export interface NetworkCounts extends Counts {
  /** Stems, cells, classifier and auxiliary head, in this order. */
  readonly parts: readonly PartCounts[];
}

/** Options of the evaluation networks. */
export interface EvaluationCountOptions {
  /** Initial channels C; even. Default 36 for CIFAR, 48 for ImageNet. */
  readonly channels?: number;
  /** Cells L. Default 20 for CIFAR, 14 for ImageNet. */
  readonly layers?: number;
  /** Default 10 for CIFAR, 1000 for ImageNet. */
  readonly classes?: number;
  /** Side of the square image in pixels. Default 32 for CIFAR, 224 for ImageNet. */
  readonly imageSize?: number;
  /** Whether to count the auxiliary head, which only training runs. Default false. */
  readonly auxiliary?: boolean;
}

/** Options of the supernet. */
export interface SupernetCountOptions {
  /** Cells L. */
  readonly layers: number;
  /** Initial channels C; even. */
  readonly channels: number;
  /** Classes of the data set. */
  readonly classes: number;
  /** Primitives kept on each of the 14 edges of the normal cell. */
  readonly keptNormal: readonly (readonly Primitive[])[];
  /** Primitives kept on each of the 14 edges of the reduction cell. */
  readonly keptReduce: readonly (readonly Primitive[])[];
  /** Side of the square image in pixels. Default 32. */
  readonly imageSize?: number;
}

/** What the two auxiliary heads differ in. */
interface AuxiliaryHead {
  /** Stride of the 5x5 average pool. */
  readonly poolStride: number;
  /** Whether a BN follows the 2x2 convolution. */
  readonly secondNorm: boolean;
}

/**
 * Counts the CIFAR evaluation network of a genotype: stem to 3C channels, L cells, global
 * pool, linear. PDARTS with the defaults has 3,433,798 parameters.
 *
 * @throws {RangeError} when a number is not a positive integer, the channels are odd, or the
 * auxiliary head does not fit the image size
 */
export function countCifarNetwork(
  genotype: Genotype,
  options: EvaluationCountOptions = {},
): NetworkCounts {
  const { channels = 36, layers = 20, classes = 10, imageSize = 32, auxiliary = false } = options;
  check({ channels, layers, classes, imageSize });
  const stem = countStem({ channels, imageSize });
  const cells = countCells({
    inputs: [stem.output, stem.output],
    channels,
    layers,
    reducedBefore: false,
    affine: true,
    countNodes: nodesOfGenotype(genotype),
  });
  const head = { poolStride: 3, secondNorm: true };
  return total([
    stem,
    ...cells,
    countClassifier(cells, classes),
    ...(auxiliary ? [countAuxiliary(cells, { classes, head })] : []),
  ]);
}

/**
 * Counts the ImageNet evaluation network of a genotype: two stems that divide the size by
 * eight, L cells, global pool, linear. The auxiliary head has no BN behind its second
 * convolution, as in the authors' code. PDARTS with the defaults has 4.9 M
 * parameters, 543 M multiply-adds and, as published, 557 M operations.
 *
 * @throws {RangeError} when a number is not a positive integer, the channels are odd, or the
 * auxiliary head does not fit the image size
 */
export function countImageNetNetwork(
  genotype: Genotype,
  options: EvaluationCountOptions = {},
): NetworkCounts {
  const { channels = 48, layers = 14, classes = 1000, imageSize = 224, auxiliary = false } =
    options;
  check({ channels, layers, classes, imageSize });
  const [stem0, stem1] = countImageNetStems({ channels, imageSize });
  const cells = countCells({
    inputs: [stem0.output, stem1.output],
    channels,
    layers,
    reducedBefore: true,
    affine: true,
    countNodes: nodesOfGenotype(genotype),
  });
  const head = { poolStride: 2, secondNorm: false };
  return total([
    stem0,
    stem1,
    ...cells,
    countClassifier(cells, classes),
    ...(auxiliary ? [countAuxiliary(cells, { classes, head })] : []),
  ]);
}

/**
 * Counts the supernet; its BNs but the stem's have no parameters, and the alphas are not
 * among its own. With 5 cells, 16 channels, 10 classes and all primitives: 1,275,834.
 *
 * @throws {RangeError} when a number is not a positive integer, the channels are odd, or the
 * kept primitives are not those of 14 edges
 */
export function countSupernet(options: SupernetCountOptions): NetworkCounts {
  const { layers, channels, classes, keptNormal, keptReduce, imageSize = 32 } = options;
  check({ channels, layers, classes, imageSize });
  for (const kept of [keptNormal, keptReduce]) {
    if (kept.length !== EDGES.length) {
      throw new RangeError(
        `Cannot count a supernet: got ${kept.length} edges, not ${EDGES.length}`,
      );
    }
  }
  const stem = countStem({ channels, imageSize });
  const cells = countCells({
    inputs: [stem.output, stem.output],
    channels,
    layers,
    reducedBefore: false,
    affine: false,
    countNodes: nodesOfSupernet({ normal: keptNormal, reduce: keptReduce }),
  });
  return total([stem, ...cells, countClassifier(cells, classes)]);
}

/** The CIFAR stem: 3x3 convolution to 3C channels, BN. */
function countStem({ channels, imageSize }: { channels: number; imageSize: number }): PartCounts {
  const counter = new Counter({ affine: true });
  const image = { height: imageSize, width: imageSize, channels: 3 };
  const output = counter.batchNorm(
    counter.convolution(image, { channels: 3 * channels, kernel: [3, 3], stride: [1, 1] }),
  );
  return { name: "stem", kind: "stem", output, ...counter.counts };
}

/** The ImageNet stems: 3x3 convolutions of stride 2 with BN, two in the first, one in the second. */
function countImageNetStems(
  { channels, imageSize }: { channels: number; imageSize: number },
): PartCounts[] {
  const image: ImageShape = { height: imageSize, width: imageSize, channels: 3 };
  let shape = image;
  return [[channels / 2, channels], [channels]].map((widths, index) => {
    const counter = new Counter({ affine: true });
    for (const width of widths) {
      const convolution = { channels: width, kernel: [3, 3], stride: [2, 2] } as const;
      if (shape !== image) counter.relu(shape);
      shape = counter.batchNorm(counter.convolution(shape, convolution));
    }
    return { name: `stem${index}`, kind: "stem", output: shape, ...counter.counts };
  });
}

/** Global average pool and linear layer. */
function countClassifier(cells: readonly PartCounts[], classes: number): PartCounts {
  const counter = new Counter({ affine: true });
  const pooled = counter.pool(cells[cells.length - 1].output, { height: 1, width: 1 });
  const output = counter.linear(pooled, classes);
  return { name: "classifier", kind: "classifier", output, ...counter.counts };
}

/** The head on the second reduction cell: pool 5, 1x1 to 128, BN, 2x2 to 768, BN, mean, linear. */
function countAuxiliary(
  cells: readonly PartCounts[],
  { classes, head }: { classes: number; head: AuxiliaryHead },
): PartCounts {
  const input = cells[Math.floor(2 * cells.length / 3)].output;
  const pooled = (size: number) => Math.floor((size - 5) / head.poolStride) + 1;
  const [height, width] = [pooled(input.height), pooled(input.width)];
  if (height < 2 || width < 2) {
    throw new RangeError(
      `Cannot count the auxiliary head: got ${input.height}x${input.width} pixels, which do not pool to 2x2`,
    );
  }
  const counter = new Counter({ affine: true });
  const small = counter.pool(counter.relu(input), { height, width });
  const squeezed = counter.relu(counter.batchNorm(counter.pointwise(small, 128)));
  const features = counter.unpadded(squeezed, { channels: 768, kernel: [2, 2] });
  if (head.secondNorm) counter.batchNorm(features);
  const active = counter.relu(features), single = features.height * features.width === 1;
  const mean = single ? active : counter.pool(active, { height: 1, width: 1 });
  const output = counter.linear(mean, classes);
  return { name: "auxiliary_head", kind: "auxiliary", output, ...counter.counts };
}

function total(parts: readonly PartCounts[]): NetworkCounts {
  return {
    parameters: parts.reduce((sum, part) => sum + part.parameters, 0),
    multiplyAdds: parts.reduce((sum, part) => sum + part.multiplyAdds, 0),
    operations: parts.reduce((sum, part) => sum + part.operations, 0),
    parts,
  };
}

function check(numbers: { channels: number; [name: string]: number }): void {
  for (const [name, value] of Object.entries(numbers)) {
    if (!Number.isInteger(value) || value < 1) {
      throw new RangeError(`Cannot count a network: got ${name} ${value}, not a positive integer`);
    }
  }
  if (numbers.channels % 2 !== 0) {
    throw new RangeError(`Cannot count a network: got channels ${numbers.channels}, not even`);
  }
}
