// out = sum_k m_k (w_k scale_k x_k + w_k shift_k) over any number of terms. A thread adds up QUADS
// quads in registers while the terms stream by: every x is read once, and out written once, the floor
// of 4 (terms + 1) bytes a value, 2 for a term of bf16.

// As in kernels/normalised_sum.ts.
const int QUADS = 2;

extern "C" __global__ void __launch_bounds__(MOST_THREADS) normalisedSum(
    const Term* __restrict__ terms, const float* __restrict__ weights, float* __restrict__ out,
    int count, int values, int elements, int channels, int span) {
  const int place = placeOf(blockIdx.y), first = blockIdx.x * QUADS * span;
  float4 sum[QUADS];
  #pragma unroll
  for (int j = 0; j < QUADS; j++) sum[j] = make_float4(0, 0, 0, 0);
  for (int k = 0; k < count; k++) {
    const Term& term = terms[k];
    const Coefficients by = coefficientsOf(term, weights, place, channels);
    const Source source = {term.x, term.stored};
    float4 x[QUADS];
    #pragma unroll
    for (int j = 0; j < QUADS; j++) {
      x[j] = loadQuad(source, quadAt(first + j * span, place, span, values), values);
    }
    #pragma unroll
    for (int j = 0; j < QUADS; j++) {
      float4 normalised = by.scale * x[j] + by.shift;
      if (isSpecial(term)) {
        const int quad = quadAt(first + j * span, place, span, values);
        normalised = factorsOf(term, quad, values, elements) * normalised;
      }
      sum[j] = sum[j] + normalised;
    }
  }
  #pragma unroll
  for (int j = 0; j < QUADS; j++) {
    storeQuad(out, quadAt(first + j * span, place, span, values), values, sum[j]);
  }
}
