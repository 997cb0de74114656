/**
 * The argument records that TypeScript writes into shared memory and AssemblyScript reads, each listed
 * once, and the numbers that both sides know: {@linkcode layoutsModule} turns a list into the
 * AssemblyScript class of the same field order, a number into a constant.
 *
 * Every field is 4 bytes. Addresses are unsigned byte offsets into the shared memory, sizes are in
 * elements unless named otherwise, and `...P` marks a count of channels padded to a multiple of 4.
 */

type FieldType = "usize" | "i32" | "u32" | "f32";
/** Field names and types, in order. */
export type Layout = Record<string, FieldType>;

/** Numbers of the branch kinds: convolutions come first, then pools, then the identity. */
export const BRANCH_KINDS = {
  separable: 0,
  pointwise: 1,
  factorized_reduce: 2,
  convolution: 3,
  max_pool: 4,
  avg_pool: 5,
  identity: 6,
} as const;

/** Zero border of an image of every second pixel in scratch, for kernels up to 7. */
export const HALF_BORDER = 3;

/** Rows of a matrix product that are computed at a time. */
export const MAT_MUL_ROWS = 64;

/** A call of the branches kernels; the records of its branches follow one another at `branches`. */
export const BranchesCall = {
  x: "usize",
  dx: "usize",
  images: "i32",
  parts: "i32",
  height: "i32",
  width: "i32",
  channels: "i32",
  channelsP: "i32",
  /** 0 as it is, 1 ReLU, 2 ReLU of scale and shift. */
  activation: "i32",
  /** `[channelsP]` each, for activation 2. */
  scale: "usize",
  shift: "usize",
  count: "i32",
  branches: "usize",
  /** Per part: results to be added up, `partialBytes` apart. */
  partials: "usize",
  partialBytes: "i32",
  /** Within a part, in bytes: float64 sums of dx x and of dx, `[2, channelsP]`. */
  affineSums: "i32",
  inputGradient: "i32",
  filterGradient: "i32",
  /** Zero border of the activated image in scratch, in pixels. */
  border: "i32",
  /** Zero border of an output gradient in scratch, in pixels; at least 2. */
  gradientBorder: "i32",
  needsActive: "i32",
  needsRaw: "i32",
  /** Scratch, in bytes from a thread's own block; `scratchBytes` in all. */
  active: "usize",
  activeBytes: "i32",
  raw: "usize",
  rawBytes: "i32",
  half: "usize",
  halfBytes: "i32",
  spatial: "usize",
  incoming: "usize",
  padded: "usize",
  paddedBytes: "i32",
  gradient: "usize",
  extra: "usize",
  sums: "usize",
  /** Byte offsets per pixel: of dense results, and of the interior of the bordered gradient. */
  denseTable: "usize",
  paddedTable: "usize",
} as const satisfies Layout;

/** One branch of a call. */
export const BranchRecord = {
  kind: "i32",
  kernel: "i32",
  stride: "i32",
  dilation: "i32",
  outHeight: "i32",
  outWidth: "i32",
  /** Results per segment (a FactorizedReduce has two segments, side by side). */
  out: "i32",
  outP: "i32",
  segments: "i32",
  statistics: "i32",
  y: "usize",
  /** Gradient of y; coefficients `[3, segments outP]` of dy, y and 1 give that before batch norm. */
  dy: "usize",
  coefficients: "usize",
  /** Further tensors in the gradient of y: a GradientTerm each. */
  terms: "usize",
  termCount: "i32",
  /** Depthwise taps `[kernel^2, channelsP]`, as they are and turned by 180 degrees. */
  depthwise: "usize",
  depthwiseTurned: "usize",
  /** Packed pointwise or dense filters, and packed for the input's gradient, `filterBytes` per segment. */
  filter: "usize",
  filterTransposed: "usize",
  filterBytes: "i32",
  /**
   * Within a part, in bytes: float64 `[2, segments outP]` sums of y - pivot and its square, behind them
   * the float32 pivot; float32 gradients of the filters.
   */
  statisticsSums: "i32",
  depthwiseSums: "i32",
  filterSums: "i32",
  filterSumsBytes: "i32",
} as const satisfies Layout;

/**
 * A call of the normalised-sum kernels. The first `plain` terms have neither a dropout mask nor factors
 * per sample; the others are special.
 */
export const SumCall = {
  images: "i32",
  parts: "i32",
  /** Elements of an image, its channels, and the period of its coefficients: a multiple of both the channels and 16. */
  elements: "i32",
  channels: "i32",
  period: "i32",
  /** Plain terms come first, then those weighted by sample; `unmasked` counts both; masked ones end. */
  terms: "i32",
  plain: "i32",
  unmasked: "i32",
  records: "usize",
  /** `[terms, period]` scales and shifts, times the weights. */
  scales: "usize",
  shifts: "usize",
  /** `[period]` summed shifts of the plain terms. */
  constants: "usize",
  out: "usize",
  dy: "usize",
  /**
   * Per part: float64 `[terms + 1 + special, period]`: sums of d x_k per term, of dy, and of d per
   * special term, where d is dy, masked and weighted by sample for a special term. The first `channels`
   * of each row are its results.
   */
  partials: "usize",
  partialBytes: "i32",
} as const satisfies Layout;

/** One term of a normalised sum. */
export const TermRecord = {
  x: "usize",
  /** `[images]`, or 0. */
  sampleWeights: "usize",
  /** Dropout: words below the threshold are dropped; 0 for none. */
  threshold: "u32",
  keepScale: "f32",
  key0: "u32",
  key1: "u32",
  counter: "u32",
  /** Gradient of x of a special term; that of a plain one is dy scaled by channel. */
  dx: "usize",
} as const satisfies Layout;

/** A tensor scaled by channel that is added to the gradient of y; `coefficients` as in BranchRecord. */
export const GradientTerm = {
  dy: "usize",
  coefficients: "usize",
} as const satisfies Layout;

/** A call of an element-wise operation; one of a alone leaves b 0. */
export const ElementwiseCall = {
  a: "usize",
  b: "usize",
  out: "usize",
  elements: "i32",
  parts: "i32",
} as const satisfies Layout;

/** A call that joins tensors on their last axis, or splits one. */
export const JoinCall = {
  /** Addresses of the pieces, and bytes of a row of each. */
  pieces: "usize",
  rowBytes: "usize",
  count: "i32",
  whole: "usize",
  wholeBytes: "i32",
  rows: "i32",
  parts: "i32",
  split: "i32",
} as const satisfies Layout;

/** A call of the matrix product: `[batch, rows, inner] x [batch, inner, columns]`, as they are multiplied. */
export const MatMulCall = {
  a: "usize",
  b: "usize",
  out: "usize",
  batch: "i32",
  /** Elements from one item of the batch to the next; 0 where all share one matrix. */
  aStep: "i32",
  bStep: "i32",
  rows: "i32",
  inner: "i32",
  columns: "i32",
  /** Whether a is stored as `[inner, rows]`, b as `[columns, inner]`. */
  transposeA: "i32",
  transposeB: "i32",
  parts: "i32",
} as const satisfies Layout;

/** A call of the global average pool kernels. */
export const PoolCall = {
  x: "usize",
  y: "usize",
  images: "i32",
  parts: "i32",
  pixels: "i32",
  channels: "i32",
} as const satisfies Layout;

/** Bytes of one record. */
export function layoutBytes(layout: Layout): number {
  return 4 * Object.keys(layout).length;
}

/** The AssemblyScript class of a layout. */
function layoutSource(name: string, layout: Layout): string {
  const fields = Object.entries(layout).map(([field, type]) => `  ${field}: ${type};`);
  return `@unmanaged\nexport class ${name} {\n${fields.join("\n")}\n}\n`;
}

/** All classes and constants, as one AssemblyScript module. */
export function layoutsModule(): string {
  const layouts = {
    BranchesCall,
    BranchRecord,
    GradientTerm,
    SumCall,
    TermRecord,
    ElementwiseCall,
    JoinCall,
    MatMulCall,
    PoolCall,
  };
  const numbers = {
    ...Object.fromEntries(
      Object.entries(BRANCH_KINDS).map(([kind, number]) => [kind.toUpperCase(), number]),
    ),
    HALF_BORDER,
    MAT_MUL_ROWS,
  };
  return [
    ...Object.entries(numbers).map(([name, n]) => `export const ${name}: i32 = ${n};\n`),
    ...Object.entries(layouts).map(([name, layout]) => layoutSource(name, layout)),
  ].join("\n");
}
