// The windows of a dense convolution side by side, so that it is a pointwise product of them.
import { BranchesCall, BranchRecord } from "./layouts.as";
import { activateRun, addTo, clearTo } from "./images.as";

/** Rows of kernel^2 activated pixels for each output of a dense convolution. */
export function patches(c: BranchesCall, b: BranchRecord, x: usize, d: usize): void {
  const C = c.channels, k = b.kernel, pad = k >> 1, taps = k * C;
  for (let i = 0; i < b.outHeight; i++) for (let j = 0; j < b.outWidth; j++) {
    const left = j * b.stride - pad, before = min(k, max(0, -left)), end = max(before, min(k, c.width - left));
    let q = d;
    for (let r = 0; r < k; r++) {
      const ii = i * b.stride - pad + r, next = q + (taps << 2);
      if (ii < 0 || ii >= c.height) { clearTo(q, next); q = next; continue; }
      const first = q + (before * C << 2);
      clearTo(q, first);
      const p = x + ((ii * c.width + left + before) * C << 2), n = (end - before) * C;
      activateRun(p, first, n, C, c.activation, c.scale, c.shift);
      clearTo(first + (n << 2), next);
      q = next;
    }
    d += b.patchP << 2;
    clearTo(q, d);
  }
}

/** Adds the patches of input gradients back to the image they were cut from. */
export function patchesBack(c: BranchesCall, b: BranchRecord, d: usize, dx: usize): void {
  const C = c.channels, k = b.kernel, pad = k >> 1;
  for (let i = 0; i < b.outHeight; i++) for (let j = 0; j < b.outWidth; j++) {
    let q = d;
    for (let r = 0; r < k; r++) for (let s = 0; s < k; s++) {
      const ii = i * b.stride - pad + r, jj = j * b.stride - pad + s;
      if (ii >= 0 && jj >= 0 && ii < c.height && jj < c.width) addTo(dx + ((ii * c.width + jj) * c.channelsP << 2), q, C);
      q += C << 2;
    }
    d += b.patchP << 2;
  }
}
