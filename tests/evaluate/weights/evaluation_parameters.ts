/** The parameters of an evaluation network by the authors' names, without the network: for tests of files. */

import { CounterRandom } from "../../../backends/random.ts";
import { cellOf, type Genotype } from "../../../nn/genotypes.ts";
import { Parameters } from "../../../nn/parameters.ts";
import type { GenotypePrimitive } from "../../../nn/primitives.ts";

/** Sizes and parts of the network. */
export interface EvaluationParametersOptions {
  genotype: Genotype;
  layers: number;
  channels: number;
  classes: number;
  auxiliary: boolean;
}

/** A 1x1 convolution and its norm, the second and third child of a Sequential. */
function addReluConvNorm(
  parameters: Parameters,
  name: string,
  { inputs, channels }: { inputs: number; channels: number },
): void {
  parameters.convolution(`${name}.op.1.weight`, [channels, inputs, 1, 1]);
  parameters.batchNorm(`${name}.op.2`, { channels, affine: true });
}

function addFactorizedReduce(
  parameters: Parameters,
  name: string,
  { inputs, channels }: { inputs: number; channels: number },
): void {
  for (const half of ["conv_1", "conv_2"]) {
    parameters.convolution(`${name}.${half}.weight`, [channels / 2, inputs, 1, 1]);
  }
  parameters.batchNorm(`${name}.bn`, { channels, affine: true });
}

function addOperation(
  parameters: Parameters,
  name: string,
  { primitive, channels, halved }: {
    primitive: GenotypePrimitive;
    channels: number;
    halved: boolean;
  },
): void {
  const separable = /^(sep|dil)_conv_(\d)x\d$/.exec(primitive);
  if (separable) {
    const kernel = Number(separable[2]);
    for (const first of separable[1] === "sep" ? [1, 5] : [1]) {
      parameters.depthwise(`${name}.op.${first}.weight`, { channels, kernel });
      parameters.convolution(`${name}.op.${first + 1}.weight`, [channels, channels, 1, 1]);
      parameters.batchNorm(`${name}.op.${first + 2}`, { channels, affine: true });
    }
  } else if (primitive === "conv_7x1_1x7") {
    parameters.convolution(`${name}.op.1.weight`, [channels, channels, 1, 7]);
    parameters.convolution(`${name}.op.2.weight`, [channels, channels, 7, 1]);
    parameters.batchNorm(`${name}.op.3`, { channels, affine: true });
  } else if (primitive === "skip_connect" && halved) {
    addFactorizedReduce(parameters, name, { inputs: channels, channels });
  }
}

function addAuxiliaryHead(
  parameters: Parameters,
  { inputs, classes }: { inputs: number; classes: number },
): void {
  parameters.convolution("auxiliary_head.features.2.weight", [128, inputs, 1, 1]);
  parameters.batchNorm("auxiliary_head.features.3", { channels: 128, affine: true });
  parameters.convolution("auxiliary_head.features.5.weight", [768, 128, 2, 2]);
  parameters.batchNorm("auxiliary_head.features.6", { channels: 768, affine: true });
  parameters.linear("auxiliary_head.classifier", { inputs: 768, outputs: classes });
}

/** The parameters of CIFAR's evaluation network, with initial values; the caller disposes them. */
export function evaluationParameters(
  { genotype, layers, channels: first, classes, auxiliary }: EvaluationParametersOptions,
): Parameters {
  const parameters = new Parameters(new CounterRandom(1));
  parameters.convolution("stem.0.weight", [3 * first, 3, 3, 3]);
  parameters.batchNorm("stem.1", { channels: 3 * first, affine: true });
  let channels = first, inputs = [3 * first, 3 * first], reducedBefore = false, headInputs = 0;
  for (let cell = 0; cell < layers; cell++) {
    const reduces = cell === Math.floor(layers / 3) || cell === Math.floor(2 * layers / 3);
    const { entries, concat } = cellOf(genotype, reduces ? "reduce" : "normal");
    channels *= reduces ? 2 : 1;
    const add = reducedBefore ? addFactorizedReduce : addReluConvNorm;
    add(parameters, `cells.${cell}.preprocess0`, { inputs: inputs[0], channels });
    addReluConvNorm(parameters, `cells.${cell}.preprocess1`, { inputs: inputs[1], channels });
    entries.forEach(([primitive, source], index) =>
      addOperation(parameters, `cells.${cell}._ops.${index}`, {
        primitive,
        channels,
        halved: reduces && source < 2,
      })
    );
    inputs = [inputs[1], concat.length * channels];
    reducedBefore = reduces;
    if (cell === Math.floor(2 * layers / 3)) headInputs = inputs[1];
  }
  if (auxiliary) addAuxiliaryHead(parameters, { inputs: headInputs, classes });
  parameters.linear("classifier", { inputs: inputs[1], outputs: classes });
  return parameters;
}
