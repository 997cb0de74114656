/** The loss on the CPU, with its gradient and counts. Opposite of ops/softmax_cross_entropy.ts. */

import type { TensorInfo } from "@tensorflow/tfjs-core";
import { type SoftmaxCrossEntropyAttrs, TOP } from "../../ops/softmax_cross_entropy.ts";
import type { CpuBackend } from "../backend.ts";

/**
 * Loss, counts, and gradient by logits. A batch has a few thousand logits, so this is plain TypeScript
 * in float64 on a view of the memory.
 */
export function softmaxCrossEntropyKernel(
  backend: CpuBackend,
  { inputs: [logits, labels], attrs }: { inputs: TensorInfo[]; attrs: SoftmaxCrossEntropyAttrs },
): TensorInfo[] {
  const [samples, classes] = logits.shape;
  const loss = backend.allocate([]), counts = backend.allocate([2]);
  const gradient = backend.allocate([samples, classes]);
  const x = backend.floats(logits), dx = backend.floats(gradient);
  const label = backend.arena.ints(backend.address(labels), samples);
  const spread = attrs.labelSmoothing / classes, own = 1 - attrs.labelSmoothing;
  let total = 0, first = 0, within = 0;
  for (let n = 0; n < samples; n++) {
    const at = n * classes, row = x.subarray(at, at + classes), target = label[n];
    let largest = -Infinity;
    for (const value of row) if (value > largest) largest = value;
    let sum = 0, linear = 0, before = 0;
    row.forEach((value, c) => {
      sum += Math.exp(value - largest);
      linear += value;
      if (value > row[target] || (value === row[target] && c < target)) before++;
    });
    const logSum = largest + Math.log(sum);
    total += logSum - own * row[target] - spread * linear;
    for (let c = 0; c < classes; c++) {
      const wanted = spread + (c === target ? own : 0);
      dx[at + c] = (Math.exp(row[c] - logSum) - wanted) / samples;
    }
    if (before === 0) first++;
    if (before < TOP) within++;
  }
  backend.floats(loss)[0] = total / samples;
  backend.floats(counts).set([first, within]);
  return [loss, counts, gradient];
}
