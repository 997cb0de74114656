// The mean of each channel over an image and its gradient: [N, P, C] to [N, C], a result a thread.
// Neighbouring threads take neighbouring channels. x is read once, the floor.

extern "C" __global__ void globalAveragePool(
    const float* x, float* y, int images, int pixels, int channels) {
  const int at = blockIdx.x * blockDim.x + threadIdx.x;
  if (at >= images * channels) return;
  const int image = at / channels, channel = at % channels;
  const float* first = x + (long long)image * pixels * channels + channel;
  float sum = 0;
  for (int pixel = 0; pixel < pixels; pixel++) sum += first[(long long)pixel * channels];
  y[at] = sum / pixels;
}

extern "C" __global__ void globalAveragePoolGrad(
    const float* dy, float* dx, int elements, int pixels, int channels) {
  const int at = blockIdx.x * blockDim.x + threadIdx.x;
  if (at >= elements) return;
  const int image = at / (pixels * channels);
  dx[at] = dy[image * channels + at % channels] / pixels;
}
