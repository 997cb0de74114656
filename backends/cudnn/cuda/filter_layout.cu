// Filters between tfjs's layout, [k k, C, M] with the taps as one axis, and cuDNN's, [M, k k, C]: a value
// a thread, in the order in which it is written.

extern "C" __global__ void toCudnn(
    const float* from, float* to, unsigned int items, int taps, int channels, int outChannels) {
  const unsigned int item = threadNumber();
  if (item >= items) return;
  const int c = item % channels, tap = item / channels % taps, m = item / channels / taps;
  to[item] = from[((size_t)tap * channels + c) * outChannels + m];
}

extern "C" __global__ void fromCudnn(
    const float* from, float* to, unsigned int items, int taps, int channels, int outChannels) {
  const unsigned int item = threadNumber();
  if (item >= items) return;
  const int m = item % outChannels, c = item / outChannels % channels;
  const int tap = item / outChannels / channels;
  to[item] = from[((size_t)m * taps + tap) * channels + c];
}
