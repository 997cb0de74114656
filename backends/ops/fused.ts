/**
 * What every fused op shares: running its kernel where the active backend has one, and registering its
 * gradient.
 *
 * A fused op is three things: a function here in `ops/`, its plain tfjs composition (the definition,
 * the oracle of its tests, and the fallback of a backend without the kernel), and a gradient registered
 * once for all backends. Inputs of a fused kernel are an array, so that a kernel can take any number.
 */

import * as tf from "@tensorflow/tfjs-core";
// tfjs-core registers no gradients in its Node form; this package does, for all of its ops.
import "@tensorflow/tfjs-layers";

/** Saves every output of a kernel that has at most this many. */
const MAX_OUTPUTS = 512;

/** True when the active backend implements the kernel itself. */
export function hasKernel(kernelName: string): boolean {
  return tf.getKernel(kernelName, tf.getBackend()) !== undefined;
}

/** Runs a kernel whose inputs and outputs are arrays. */
export function runFused(
  kernelName: string,
  { inputs, attrs }: { inputs: tf.Tensor[]; attrs: object },
): tf.Tensor[] {
  const outputs = tf.engine().runKernel(
    kernelName,
    inputs as unknown as tf.NamedTensorMap,
    attrs as tf.NamedAttrMap,
  );
  return Array.isArray(outputs) ? outputs : [outputs as tf.Tensor];
}

/** The arguments of a fused gradient: incoming gradients, then the forward's inputs and outputs. */
export interface FusedGradient<Attrs> {
  /** One gradient per output of the forward kernel. */
  dys: tf.Tensor[];
  inputs: tf.Tensor[];
  outputs: tf.Tensor[];
  attrs: Attrs;
}

/**
 * Registers the gradient of a fused kernel.
 *
 * `gradient` returns a gradient per input, or undefined where the caller's attributes say that none is
 * wanted. A fused gradient has no gradient itself: first order only.
 */
export function registerFusedGradient<Attrs>(
  kernelName: string,
  gradient: (args: FusedGradient<Attrs>) => (tf.Tensor | undefined)[],
): void {
  tf.registerGradient({
    kernelName,
    saveAllInputs: true,
    outputsToSave: new Array(MAX_OUTPUTS).fill(true),
    gradFunc: (dy, saved, attrs) => {
      const dys = Array.isArray(dy) ? dy : [dy];
      const inputs = saved.slice(0, saved.length - dys.length);
      const outputs = saved.slice(saved.length - dys.length);
      const results = gradient({ dys, inputs, outputs, attrs: attrs as unknown as Attrs });
      return Object.fromEntries(inputs.map((_, index) => [index, () => {
        const result = results[index];
        if (result === undefined) {
          throw new Error(
            `Cannot differentiate ${kernelName} by input ${index}: it was switched off`,
          );
        }
        return result;
      }]));
    },
  });
}
