// What the module exports. Kernels with the signature (args, scratch, part) run on all threads.
export { branchesForward, branchesBackward } from "./branches.as";
export { normalisedSumForward, normalisedSumBackward } from "./normalised_sum.as";
export { addTensors, multiplyTensors, reluTensor, stepTensor } from "./elementwise.as";
export { matMul } from "./mat_mul.as";
export { joinRows } from "./small.as";
export { globalAverageForward, globalAverageBackward, sumSquares, sgdStep, adamStep, addParts, scaleChannels } from "./small.as";
export { packFilter } from "./pointwise.as";
export { packConvolution } from "./convolution.as";
export { multiplyAddRoof, copyRoof } from "./roof.as";
