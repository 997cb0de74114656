// The loss of a batch, its gradient by logits, and the ranks of the labels; behind block_sum.cuh.
//
// A sample a block, each thread every 32nd class; logits are taken less their largest, which leaves
// the loss as it is since the targets add up to 1. A second kernel, of one block, adds up the samples.

extern "C" __global__ void __launch_bounds__(32) softmaxCrossEntropy(
    const float* logits, const int* labels, float* gradient, float* losses, int* ranks,
    int samples, int classes, float own, float spread) {
  const int sample = blockIdx.x, label = labels[sample];
  const float* values = logits + (long long)sample * classes;
  float* gradients = gradient + (long long)sample * classes;
  float largest = values[0];
  for (int c = threadIdx.x; c < classes; c += 32) largest = fmaxf(largest, values[c]);
  for (int apart = 16; apart > 0; apart /= 2) {
    largest = fmaxf(largest, __shfl_xor_sync(0xffffffffu, largest, apart));
  }
  const float labelled = values[label];
  float sum = 0, linear = 0;
  int before = 0;
  for (int c = threadIdx.x; c < classes; c += 32) {
    const float value = values[c];
    sum += expf(value - largest);
    linear += value - largest;
    before += value > labelled || (value == labelled && c < label);
  }
  sum = blockSum(sum);
  linear = blockSum(linear);
  before = blockSum(before);
  for (int c = threadIdx.x; c < classes; c += 32) {
    const float wanted = spread + (c == label ? own : 0.0f);
    gradients[c] = (expf(values[c] - largest) / sum - wanted) / samples;
  }
  if (threadIdx.x > 0) return;
  losses[sample] = logf(sum) - own * (labelled - largest) - spread * linear;
  ranks[sample] = before;
}

extern "C" __global__ void __launch_bounds__(256) softmaxCrossEntropySum(
    const float* losses, const int* ranks, float* loss, float* counts, int samples, int top) {
  double total = 0;
  int first = 0, within = 0;
  for (int n = threadIdx.x; n < samples; n += 256) {
    total += losses[n];
    first += ranks[n] == 0;
    within += ranks[n] < top;
  }
  total = blockSum(total);
  first = blockSum(first);
  within = blockSum(within);
  if (threadIdx.x > 0) return;
  loss[0] = (float)(total / samples);
  counts[0] = first;
  counts[1] = within;
}
