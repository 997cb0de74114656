/**
 * Every dense convolution of the paper's networks on CIFAR: the search's supernets (16 channels, batch
 * 96, 5, 11 and 17 cells) and the network that is trained (36 channels, batch 128, 20 cells, with its
 * auxiliary head). Depthwise convolutions are kernels of our own.
 */

/** Sizes of a convolution; images are NHWC, filters KRSC, padding is the same on both sides. */
export interface ConvolutionSizes {
  batch: number;
  input: [height: number, width: number, channels: number];
  output: [height: number, width: number, channels: number];
  kernel: [height: number, width: number];
  stride: [vertical: number, horizontal: number];
  padding: [vertical: number, horizontal: number];
}

interface Network {
  batch: number;
  channels: number;
  cells: number;
  /** Whether the genotype may have what the supernet lacks, and there is an auxiliary head. */
  trained: boolean;
}

const NETWORKS: Network[] = [
  ...[5, 11, 17].map((cells) => ({ batch: 96, channels: 16, cells, trained: false })),
  { batch: 128, channels: 36, cells: 20, trained: true },
];

/** All of them, equal ones once. */
export function paperConvolutions(): ConvolutionSizes[] {
  const all = NETWORKS.flatMap(convolutionsOf);
  return [...new Map(all.map((sizes) => [JSON.stringify(sizes), sizes])).values()];
}

type Pair = [number, number];

/** A convolution of [inputs, outputs] channels; the padding keeps the size by default. */
function convolution(
  batch: number,
  [height, width]: Pair,
  [inputs, outputs]: Pair,
  { kernel = [1, 1], stride = [1, 1], padding = [kernel[0] >> 1, kernel[1] >> 1] }: {
    kernel?: Pair;
    stride?: Pair;
    padding?: Pair;
  } = {},
): ConvolutionSizes {
  const extent = (size: number, axis: 0 | 1) =>
    Math.floor((size + 2 * padding[axis] - kernel[axis]) / stride[axis]) + 1;
  return {
    batch,
    input: [height, width, inputs],
    output: [extent(height, 0), extent(width, 1), outputs],
    kernel,
    stride,
    padding,
  };
}

/** Cells as DARTS stacks them: two of them halve the images and double the channels. */
function convolutionsOf({ batch, channels, cells, trained }: Network): ConvolutionSizes[] {
  let size = 32, width = channels, afterReduction = false, before = 3 * channels;
  let beforeThat = before;
  const list = [convolution(batch, [size, size], [3, before], { kernel: [3, 3] })];
  for (let cell = 0; cell < cells; cell++) {
    const second = cell === Math.floor(2 * cells / 3);
    const reduces = second || cell === Math.floor(cells / 3);
    if (reduces) width *= 2;
    const images: Pair = [size, size], same: Pair = [width, width];
    list.push(
      ...(afterReduction
        ? factorizedReduce(batch, 2 * size, [beforeThat, width])
        : [convolution(batch, images, [beforeThat, width])]),
      convolution(batch, images, [before, width]),
      ...(reduces ? factorizedReduce(batch, size, same) : []),
      ...(trained ? factorizedConvolution(batch, size, width, reduces ? 2 : 1) : []),
    );
    if (reduces) size /= 2;
    list.push(convolution(batch, [size, size], same));
    [beforeThat, before, afterReduction] = [before, 4 * width, reduces];
    if (second && trained) list.push(...auxiliaryHead(batch, before));
  }
  return list;
}

/** Two convolutions of stride 2, the second of the images without their first row and column. */
function factorizedReduce(batch: number, size: number, [inputs, outputs]: Pair) {
  return [size, size - 1].map((side) =>
    convolution(batch, [side, side], [inputs, outputs / 2], { stride: [2, 2] })
  );
}

/** conv_7x1_1x7: along rows, then along columns. */
function factorizedConvolution(batch: number, size: number, width: number, stride: number) {
  const same: Pair = [width, width];
  return [
    convolution(batch, [size, size], same, { kernel: [1, 7], stride: [1, stride] }),
    convolution(batch, [size, size / stride], same, { kernel: [7, 1], stride: [stride, 1] }),
  ];
}

/** Of images that are pooled to 2x2. */
function auxiliaryHead(batch: number, inputs: number) {
  return [
    convolution(batch, [2, 2], [inputs, 128]),
    convolution(batch, [2, 2], [128, 768], { kernel: [2, 2], padding: [0, 0] }),
  ];
}
