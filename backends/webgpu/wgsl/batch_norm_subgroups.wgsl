// batch_norm.wgsl, one channel a subgroup: first the mean, from the means of all parts, then the squares
// about it, from those about the parts' own means.
struct Uniforms {
  pixels: i32, channels: i32, length: i32, parts: i32, hasGamma: i32, hasBeta: i32, epsilon: f32,
}
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> partials: array<f32>;
// Any buffers without gamma and beta.
@group(0) @binding(2) var<storage, read> gamma: array<f32>;
@group(0) @binding(3) var<storage, read> beta: array<f32>;
@group(0) @binding(4) var<storage, read_write> affine: array<f32>;
@group(0) @binding(5) var<storage, read_write> moments: array<f32>;

// Pixels of a part.
fn pixelsOf(part: i32) -> f32 { return f32(min(u.length, u.pixels - part * u.length)); }

@compute @workgroup_size(WORKGROUP)
fn main(s: Subgroup) {
  for (var c = firstResult(s); c < u.channels; c += resultStep(s)) {
    // Means are taken from the first part's, so that a large one costs no digits.
    let pivot = partials[c];
    var own = 0.0;
    for (var part = i32(s.lane); part < u.parts; part += i32(s.lanes)) {
      own += pixelsOf(part) * (partials[2 * part * u.channels + c] - pivot);
    }
    let mean = pivot + subgroupAdd(own) / f32(u.pixels);
    own = 0.0;
    for (var part = i32(s.lane); part < u.parts; part += i32(s.lanes)) {
      let at = 2 * part * u.channels + c;
      let step = partials[at] - mean;
      own += partials[at + u.channels] + pixelsOf(part) * step * step;
    }
    let variance = subgroupAdd(own) / f32(u.pixels);
    if (s.lane != 0) { continue; }
    var scale = 1.0 / sqrt(variance + u.epsilon);
    if (u.hasGamma != 0) { scale *= gamma[c]; }
    var shift = -mean * scale;
    if (u.hasBeta != 0) { shift += beta[c]; }
    affine[c] = scale;
    affine[u.channels + c] = shift;
    moments[c] = mean;
    moments[u.channels + c] = variance;
  }
}
