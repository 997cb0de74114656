// 3x3 pools with padding 1, [N, H, W, C] to [N, OH, OW, C], and their gradients: a value a thread,
// neighbouring threads on neighbouring channels. The padding is neither a maximum nor counted in a mean.
//
// Floor: x read and y written once; backward dy, y and x read and dx written once, and a byte a result.

// A value of an image: where it is, and its number among the values.
struct Value {
  unsigned int pixel;
  int c, w, h, image;

  __device__ Value(unsigned int item, int height, int width, int channels) {
    c = item % channels;
    pixel = item / channels;
    w = pixel % width;
    h = pixel / width % height;
    image = pixel / width / height;
  }
};

// Windows of a stride over a side of `size` pixels: the pixels that one covers, those that cover one.
struct Windows {
  int size, count, stride;

  __device__ int begin(int window) const { return max(window * stride - 1, 0); }
  __device__ int end(int window) const { return min(window * stride + 2, size); }
  __device__ int firstOver(int pixel) const { return max((pixel + stride - 2) / stride, 0); }
  __device__ int lastOver(int pixel) const { return min((pixel + 1) / stride, count - 1); }
};

// `items` counts the values of y.
extern "C" __global__ void averagePool(
    const float* x, Stored* y, unsigned int items, int height, int width, int channels,
    int outHeight, int outWidth, int stride) {
  const unsigned int item = threadNumber();
  if (item >= items) return;
  const Value to(item, outHeight, outWidth, channels);
  const Windows down = {height, outHeight, stride}, across = {width, outWidth, stride};
  const int top = down.begin(to.h), bottom = down.end(to.h);
  const int left = across.begin(to.w), right = across.end(to.w);
  float sum = 0.0f;
  for (int h = top; h < bottom; h++) {
    for (int w = left; w < right; w++) {
      sum += x[(((size_t)to.image * height + h) * width + w) * channels + to.c];
    }
  }
  y[item] = sum / ((bottom - top) * (right - left));
}

// The largest value of each window to y, or which pixel of the window is the first that has it, 0 to 8,
// to `choice`: one of the two is null. NaN counts as largest.
extern "C" __global__ void maxPool(
    const float* x, Stored* y, unsigned char* choice, unsigned int items, int height, int width,
    int channels, int outHeight, int outWidth, int stride) {
  const unsigned int item = threadNumber();
  if (item >= items) return;
  const Value to(item, outHeight, outWidth, channels);
  const Windows down = {height, outHeight, stride}, across = {width, outWidth, stride};
  float largest = 0.0f;
  int chosen = -1;
  for (int h = down.begin(to.h); h < down.end(to.h); h++) {
    for (int w = across.begin(to.w); w < across.end(to.w); w++) {
      const float value = x[(((size_t)to.image * height + h) * width + w) * channels + to.c];
      // Only NaN differs from itself.
      if (chosen >= 0 && !(value > largest) && value == value) continue;
      largest = value;
      chosen = (h - to.h * stride + 1) * 3 + w - to.w * stride + 1;
    }
  }
  if (y) y[item] = largest;
  if (choice) choice[item] = chosen;
}

// The gradient of a pool, gathered by pixel from the windows that cover it: `share(window's result, its
// row and column)` is what this pixel has of that window's gradient.
template <class Share>
__device__ void gather(const Incoming& incoming, float* dx, unsigned int item, const Value& at,
                       const Windows& down, const Windows& across, int add, Share share) {
  float sum = 0.0f;
  for (int i = down.firstOver(at.h); i <= down.lastOver(at.h); i++) {
    for (int j = across.firstOver(at.w); j <= across.lastOver(at.w); j++) {
      const size_t window = ((size_t)at.image * down.count + i) * across.count + j;
      const float part = share(window, i, j);
      if (part != 0.0f) sum += incoming(window, at.c) * part;
    }
  }
  dx[item] = add ? dx[item] + sum : sum;
}

// `items` counts the values of dx; with `add`, adds to them.
extern "C" __global__ void averagePoolGrad(
    const float* dy, const Stored* y, const float* coefficients, float* dx, unsigned int items,
    int height, int width, int channels, int outHeight, int outWidth, int stride, int add) {
  const unsigned int item = threadNumber();
  if (item >= items) return;
  const Value at(item, height, width, channels);
  const Windows down = {height, outHeight, stride}, across = {width, outWidth, stride};
  gather({dy, y, coefficients, channels}, dx, item, at, down, across, add,
         [=](size_t, int i, int j) {
           const int rows = down.end(i) - down.begin(i), columns = across.end(j) - across.begin(j);
           return 1.0f / (rows * columns);
         });
}

// `choice` is from maxPool.
extern "C" __global__ void maxPoolGrad(
    const unsigned char* choice, const float* dy, const Stored* y, const float* coefficients,
    float* dx, unsigned int items, int height, int width, int channels, int outHeight, int outWidth,
    int stride, int add) {
  const unsigned int item = threadNumber();
  if (item >= items) return;
  const Value at(item, height, width, channels);
  const Windows down = {height, outHeight, stride}, across = {width, outWidth, stride};
  gather({dy, y, coefficients, channels}, dx, item, at, down, across, add,
         [=](size_t window, int i, int j) {
           const int own = (at.h - i * stride + 1) * 3 + at.w - j * stride + 1;
           return choice[window * channels + at.c] == own ? 1.0f : 0.0f;
         });
}
