// What the kernels of the normalised sum share: the terms as the host lists them, and who takes what.
//
// A block takes `span` consecutive quads at a time, a multiple both of the quads after which the
// channels repeat and of the four quads of a mask's group. So a thread keeps to its four channels,
// and its place in the group is that among its lanes. A span longer than a block has several slices.

// As in kernels/normalised_sum_plan.ts.
const int MOST_THREADS = 256;

// As `uploadTerms` of normalised_sum_plan.ts writes it. Absent tensors are null.
struct Term {
  const void* x;
  float* dx;
  const float* affine;
  float* dAffine;
  const float* samples;
  int weight;
  unsigned int threshold;
  float keepScale;
  unsigned int key[2];
  unsigned int counter;
  // Whether x is of `Stored`, else of floats.
  int stored;
};
static_assert(sizeof(Term) == 72, "TERM_BYTES of normalised_sum_plan.ts");

struct Coefficients {
  float4 scale, shift;
};

// The place of this thread in a span.
__device__ __forceinline__ int placeOf(int slice) { return slice * blockDim.x + threadIdx.x; }

// The quad at a place of the span that begins at `first`; one past all others outside the span.
__device__ __forceinline__ int quadAt(int first, int place, int span, int values) {
  return place < span ? first + place : values / 4 + 1;
}

// The values of the channels of a quad at a place of a span.
__device__ __forceinline__ float4 ofChannels(const float* values, int place, int channels) {
  const int c = 4 * place % channels;
  if (channels % 4 == 0) return *reinterpret_cast<const float4*>(values + c);
  return make_float4(
      values[c], values[(c + 1) % channels], values[(c + 2) % channels],
      values[(c + 3) % channels]);
}

// Where the values of a term are.
struct Source {
  const void* x;
  int stored;
};

__device__ __forceinline__ float4 loadQuad(const Source& source, int quad, int values) {
  if (sizeof(Stored) < sizeof(float) && source.stored) {
    return loadQuad((const Stored*)source.x, quad, values);
  }
  return loadQuad((const float*)source.x, quad, values);
}

__device__ __forceinline__ bool isSpecial(const Term& term) {
  return term.threshold > 0 || term.samples;
}

__device__ __forceinline__ float weightOf(const Term& term, const float* weights) {
  return term.weight < 0 ? 1 : weights[term.weight];
}

// w scale and w shift at a place of a span.
__device__ __forceinline__ Coefficients coefficientsOf(
    const Term& term, const float* weights, int place, int channels) {
  const float w = weightOf(term, weights);
  if (!term.affine) return {make_float4(w, w, w, w), make_float4(0, 0, 0, 0)};
  return {
      w * ofChannels(term.affine, place, channels),
      w * ofChannels(term.affine + channels, place, channels)};
}

// The factor of element e for its image.
__device__ __forceinline__ float sampleFactor(
    const float* samples, unsigned int e, int values, int elements) {
  return samples[min(e, (unsigned int)values - 1) / (unsigned int)elements];
}

__device__ __forceinline__ float4 sampleFactors(
    const float* samples, int quad, int values, int elements) {
  const unsigned int e = 4u * quad;
  const float f = sampleFactor(samples, e, values, elements);
  if (e % (unsigned int)elements + 4 <= (unsigned int)elements) return make_float4(f, f, f, f);
  return make_float4(
      f, sampleFactor(samples, e + 1, values, elements),
      sampleFactor(samples, e + 2, values, elements),
      sampleFactor(samples, e + 3, values, elements));
}

// What multiplies the elements of a special term: dropout mask and factors per sample. All lanes of
// a warp call it.
__device__ __forceinline__ float4 factorsOf(
    const Term& term, int quad, int values, int elements) {
  float4 factors = make_float4(1, 1, 1, 1);
  if (term.threshold > 0) {
    factors = maskFactors(term.key, term.counter, quad, term.threshold, term.keepScale);
  }
  if (!term.samples) return factors;
  return factors * sampleFactors(term.samples, quad, values, elements);
}
