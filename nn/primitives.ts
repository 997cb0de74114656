/**
 * The primitives a cell is made of and the edges that carry them: one table that the
 * supernet, the evaluation networks and the counter share.
 *
 * Invariants: the order of `PRIMITIVES` is the column order of every alpha matrix, and the
 * order of `EDGES` its row order; both are part of the checkpoint format.
 *
 * Source: P-DARTS (arXiv 1904.12760), section 3.1, and the search space of DARTS
 * (arXiv 1806.09055), section 3.1.
 */

/** The eight primitives of the search space, in the column order of the alphas. */
export const PRIMITIVES = [
  "none",
  "max_pool_3x3",
  "avg_pool_3x3",
  "skip_connect",
  "sep_conv_3x3",
  "sep_conv_5x5",
  "dil_conv_3x3",
  "dil_conv_5x5",
] as const;

/** A primitive of the search space. */
export type Primitive = typeof PRIMITIVES[number];

/** Every primitive a genotype may name: the searched eight, and two that NASNet and AmoebaNet use. */
export const GENOTYPE_PRIMITIVES = [...PRIMITIVES, "sep_conv_7x7", "conv_7x1_1x7"] as const;

/** A primitive that a genotype may name. */
export type GenotypePrimitive = typeof GENOTYPE_PRIMITIVES[number];

/** What kind of computation a primitive is. */
export type PrimitiveKind =
  | "none"
  | "max_pool"
  | "avg_pool"
  | "skip"
  | "separable"
  | "factorised_conv";

/** How one primitive is built. */
export interface PrimitiveSpec {
  /** The computation; `separable` is ReLU, depthwise, pointwise, BN. */
  readonly kind: PrimitiveKind;
  /** Side of the window in pixels; 1 for `none` and `skip`, 7 for `conv_7x1_1x7`. */
  readonly kernel: number;
  /** Distance in pixels between the taps of the window. */
  readonly dilation: number;
  /** Zero padding in pixels on every side, such that stride 1 keeps the size. */
  readonly padding: number;
  /** How many units run in sequence; only the first takes the edge's stride. */
  readonly repeats: number;
}

function spec(
  kind: PrimitiveKind,
  { kernel = 1, dilation = 1, repeats = 1 } = {},
): PrimitiveSpec {
  return { kind, kernel, dilation, padding: dilation * (kernel - 1) / 2, repeats };
}

/** The table: one row per primitive. */
export const PRIMITIVE_SPECS: Readonly<Record<GenotypePrimitive, PrimitiveSpec>> = {
  none: spec("none"),
  max_pool_3x3: spec("max_pool", { kernel: 3 }),
  avg_pool_3x3: spec("avg_pool", { kernel: 3 }),
  skip_connect: spec("skip"),
  sep_conv_3x3: spec("separable", { kernel: 3, repeats: 2 }),
  sep_conv_5x5: spec("separable", { kernel: 5, repeats: 2 }),
  dil_conv_3x3: spec("separable", { kernel: 3, dilation: 2 }),
  dil_conv_5x5: spec("separable", { kernel: 5, dilation: 2 }),
  sep_conv_7x7: spec("separable", { kernel: 7, repeats: 2 }),
  conv_7x1_1x7: spec("factorised_conv", { kernel: 7 }),
};

/** Whether `name` is one of the eight searched primitives. */
export function isPrimitive(name: unknown): name is Primitive {
  return (PRIMITIVES as readonly unknown[]).includes(name);
}

/** Whether `name` is a primitive that a genotype may name. */
export function isGenotypePrimitive(name: unknown): name is GenotypePrimitive {
  return (GENOTYPE_PRIMITIVES as readonly unknown[]).includes(name);
}

/** Whether `name` is made of separable units (ReLU, depthwise, pointwise, BN). */
export function isSeparable(name: GenotypePrimitive): boolean {
  return PRIMITIVE_SPECS[name].kind === "separable";
}

/** The outputs of the two previous cells, states 0 and 1 of every cell. */
export const CELL_INPUTS = 2;

/** The intermediate nodes of a searched cell; node i is state `CELL_INPUTS + i`. */
export const CELL_NODES = 4;

/** One edge of the searched cell. */
export interface Edge {
  /** The node it enters, 0..3. */
  readonly node: number;
  /** The state it leaves: 0 and 1 are the cell's inputs, 2 + i is node i. */
  readonly source: number;
}

/** The 14 edges in row order of the alphas: node by node, sources ascending. */
export const EDGES: readonly Edge[] = Array.from(
  { length: CELL_NODES },
  (_, node) => Array.from({ length: CELL_INPUTS + node }, (_, source) => ({ node, source })),
).flat();

/**
 * The edge indices that enter a node, ascending: 0..1, 2..4, 5..8, 9..13. The k-th of them
 * leaves state k.
 *
 * @param node 0..3
 * @throws {RangeError} when the node is not one of the cell's
 */
export function edgesOfNode(node: number): number[] {
  if (!Number.isInteger(node) || node < 0 || node >= CELL_NODES) {
    throw new RangeError(`Cannot list the edges of a node: got node ${node}, not 0..3`);
  }
  return EDGES.flatMap((edge, index) => edge.node === node ? [index] : []);
}
