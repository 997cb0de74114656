/**
 * Shape arithmetic of sliding windows (convolutions and pools), shared by every backend and op.
 *
 * Invariant: padding is symmetric, `dilation (kernel - 1) / 2`, so that stride 1 keeps the size and
 * stride 2 gives `ceil(size / 2)`, as PyTorch's "same"-like padding in the P-DARTS primitives.
 */

/** A square window moved over an image. */
export interface Window {
  /** Side in taps; odd. */
  kernel: number;
  stride: number;
  dilation: number;
}

/** Pixels of zero padding on each side. */
export function windowPadding({ kernel, dilation }: Pick<Window, "kernel" | "dilation">): number {
  return dilation * (kernel - 1) / 2;
}

/** Output size of a window over `size` pixels. */
export function windowOutput(size: number, window: Window): number {
  const reach = window.dilation * (window.kernel - 1) + 1;
  return Math.floor((size + 2 * windowPadding(window) - reach) / window.stride) + 1;
}

/**
 * Checks that a window can be computed.
 *
 * @throws {RangeError} If the kernel is even or below 1, or stride or dilation is not 1 or 2.
 */
export function checkWindow(op: string, { kernel, stride, dilation }: Window): void {
  if (!Number.isInteger(kernel) || kernel < 1 || kernel % 2 === 0) {
    throw new RangeError(`Cannot run ${op}: want an odd kernel, got ${kernel}`);
  }
  if (stride !== 1 && stride !== 2) {
    throw new RangeError(`Cannot run ${op}: want stride 1 or 2, got ${stride}`);
  }
  if (dilation !== 1 && dilation !== 2) {
    throw new RangeError(`Cannot run ${op}: want dilation 1 or 2, got ${dilation}`);
  }
}
