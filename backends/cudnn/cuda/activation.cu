// The activation of a branch's input, max(x, 0) or max(scale x + shift, 0) by channel, for convolutions
// that cannot apply it as they read, and its gradient.

// y = activation(x): a value a thread.
extern "C" __global__ void activate(
    const Stored* x, const float* affine, float* y, unsigned int items, int channels) {
  const unsigned int item = threadNumber();
  if (item >= items) return;
  y[item] = activationOf(affine, 1, channels, item % channels)(x[item]);
}

// From the gradient by the activated x to that by x, in place: masked where the activation is 0, and
// scaled by channel under an affine one, whose gradients by scale and shift are left as sums over
// parts of `share` pixels, [parts, 2, C]. Without one, `affine` and `partial` are null. Floor: x and dx
// read and dx written once.
extern "C" __global__ void __launch_bounds__(THREADS) activationGrad(
    const Stored* x, const float* affine, float* dx, float* partial, int pixels, int share,
    int channels, int lanes) {
  const Place place = placeOf(channels, lanes);
  const int c = place.c, end = min((place.part + 1) * share, pixels);
  float ofScale = 0.0f, ofShift = 0.0f;
  if (c < channels) {
    const Activation activation = activationOf(affine, 1, channels, c);
    for (int p = place.part * share + place.row; p < end; p += place.height) {
      const size_t at = (size_t)p * channels + c;
      const float value = x[at];
      const float g = activation.before(value) > 0.0f ? dx[at] : 0.0f;
      dx[at] = activation.scale * g;
      ofScale = fmaf(g, value, ofScale);
      ofShift += g;
    }
  }
  if (!partial) return;
  ofScale = sumOverRows(ofScale, lanes);
  ofShift = sumOverRows(ofShift, lanes);
  if (place.row > 0 || c >= channels) return;
  partial[2 * place.part * channels + c] = ofScale;
  partial[(2 * place.part + 1) * channels + c] = ofShift;
}
