// The gradients of a normalised sum. With D the incoming gradient, the first kernel writes
// dx_k = w_k scale_k m_k D and leaves, per channel, partial sums of X_k = sum m_k D x_k and
// S_k = sum m_k D; the second adds them up in order for dscale_k = w_k X_k, dshift_k = w_k S_k and
// each term's share of dw = sum over channels of scale_k X_k + shift_k S_k; the third adds up the
// shares of terms that have one weight.
//
// A block takes TERMS terms: every x is read and every dx written once, and D read once from memory,
// again from cache by blocks of further terms. The floor is 4 (2 terms + 1) bytes a value, less 4 for
// each term that needs no sums: its x is null.

// As in kernels/normalised_sum_grad.ts.
const int TERMS = 4;

// Adds the rows of `width` threads in lanes[.][t], to the first; the order depends on `rows` alone.
template <int COUNT, class Value>
__device__ __forceinline__ void addRows(
    Value (&lanes)[COUNT][MOST_THREADS], int t, int rows, int width) {
  for (int left = rows; left > 1; left = (left + 1) / 2) {
    const int half = (left + 1) / 2;
    __syncthreads();
    if (t >= (left - half) * width) continue;
    #pragma unroll
    for (int k = 0; k < COUNT; k++) lanes[k][t] = lanes[k][t] + lanes[k][t + half * width];
  }
}

// Blocks are [chunks of terms, parts, slices]; partials [parts, span / (depth period), terms, 2,
// period], the period in quads. A part takes every gridDim.y-th span; `depth` rows of threads, a
// period each, are added up in the block.
extern "C" __global__ void __launch_bounds__(MOST_THREADS) normalisedSumGrad(
    const Term* __restrict__ terms, const float* __restrict__ weights,
    const float* __restrict__ dy, float4* __restrict__ partials,
    int count, int values, int elements, int channels, int span, int period, int depth) {
  __shared__ float4 lanes[2 * TERMS][MOST_THREADS];
  const int place = placeOf(blockIdx.z), firstTerm = blockIdx.x * TERMS;
  float4 scale[TERMS], ofX[TERMS], ofShift[TERMS];
  Source source[TERMS];
  #pragma unroll
  for (int k = 0; k < TERMS; k++) {
    ofX[k] = ofShift[k] = make_float4(0, 0, 0, 0);
    source[k] = {nullptr, 0};
    if (firstTerm + k >= count) continue;
    source[k] = {terms[firstTerm + k].x, terms[firstTerm + k].stored};
    scale[k] = coefficientsOf(terms[firstTerm + k], weights, place, channels).scale;
  }
  for (int first = blockIdx.y * span; first <= (values - 1) / 4; first += gridDim.y * span) {
    const int quad = quadAt(first, place, span, values);
    const float4 d = loadQuad(dy, quad, values);
    float4 loaded[TERMS];
    #pragma unroll
    for (int k = 0; k < TERMS; k++) {
      if (source[k].x) loaded[k] = loadQuad(source[k], quad, values);
    }
    #pragma unroll
    for (int k = 0; k < TERMS; k++) {
      if (firstTerm + k >= count) continue;
      const Term& term = terms[firstTerm + k];
      const float4 masked = isSpecial(term) ? factorsOf(term, quad, values, elements) * d : d;
      storeQuad(term.dx, quad, values, scale[k] * masked);
      ofShift[k] = ofShift[k] + masked;
      if (source[k].x) ofX[k] = masked * loaded[k] + ofX[k];
    }
  }
  const int t = threadIdx.x;
  #pragma unroll
  for (int k = 0; k < TERMS; k++) {
    lanes[2 * k][t] = ofX[k];
    lanes[2 * k + 1][t] = ofShift[k];
  }
  addRows(lanes, t, depth, period);
  const int row = place / period;
  if (place >= span || row % depth > 0) return;
  const int part = (blockIdx.y * (span / period) + row) / depth;
  for (int k = 0; k < TERMS && firstTerm + k < count; k++) {
    float4* to = partials + (part * count + firstTerm + k) * 2 * period + place % period;
    to[0] = lanes[2 * k][t];
    to[period] = lanes[2 * k + 1][t];
  }
}

// Blocks are [terms, groups of `width` channels]; shares [terms, groups]. A part holds a channel's
// sums `phases` times, the channels of a period.
extern "C" __global__ void normalisedSumGradAffine(
    const Term* __restrict__ terms, const float* __restrict__ weights,
    const float* __restrict__ partials, double* __restrict__ shares,
    int count, int parts, int channels, int phases, int width) {
  __shared__ double lanes[2][MOST_THREADS];
  const int t = threadIdx.x, row = t / width, rows = blockDim.x / width;
  const int k = blockIdx.x, c = blockIdx.y * width + t % width, period = phases * channels;
  double ofX = 0, ofShift = 0;
  for (int at = row; c < channels && row < rows && at < parts * phases; at += rows) {
    const float* from = partials + (at / phases * count + k) * 2 * period + at % phases * channels;
    ofX += from[c];
    ofShift += from[period + c];
  }
  lanes[0][t] = ofX;
  lanes[1][t] = ofShift;
  addRows(lanes, t, rows, width);
  const Term& term = terms[k];
  double share = 0;
  if (t < width && c < channels) {
    const float weight = weightOf(term, weights);
    share = (term.affine ? term.affine[c] : 1) * lanes[0][t];
    if (term.affine) {
      share += term.affine[channels + c] * lanes[1][t];
      term.dAffine[c] = weight * lanes[0][t];
      term.dAffine[channels + c] = weight * lanes[1][t];
    }
  }
  __syncthreads();
  lanes[0][t] = share;
  __syncthreads();
  if (t > 0) return;
  for (int other = 1; other < width; other++) share += lanes[0][other];
  shares[k * gridDim.y + blockIdx.y] = share;
}

// One weight a thread; `shares` [terms, groups].
extern "C" __global__ void normalisedSumGradWeights(
    const Term* __restrict__ terms, const double* __restrict__ shares,
    float* __restrict__ dWeights, int count, int groups, int weights) {
  const int at = blockIdx.x * blockDim.x + threadIdx.x;
  if (at >= weights) return;
  double sum = 0;
  for (int k = 0; k < count; k++) {
    if (terms[k].weight != at) continue;
    for (int group = 0; group < groups; group++) sum += shares[k * groups + group];
  }
  dWeights[at] = sum;
}
