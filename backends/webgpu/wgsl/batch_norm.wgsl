// The batch norm of each channel from the moments of all parts, [parts, 2, C], merged in order as
// in Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample
// variances", 1979: one channel an invocation.
//   affine = [gamma / sqrt(variance + epsilon), beta - mean scale], moments = [mean, variance]
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

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let c = i32(id.x + id.y * groups.x * WORKGROUP);
  if (c >= u.channels) { return; }
  var mean = 0.0;
  var squares = 0.0;
  for (var part = 0; part < u.parts; part++) {
    let count = part * u.length;
    let own = min(u.length, u.pixels - count);
    let share = f32(own) / f32(count + own);
    let at = 2 * part * u.channels + c;
    let step = partials[at] - mean;
    mean += step * share;
    squares += partials[at + u.channels] + step * step * f32(count) * share;
  }
  let variance = squares / f32(u.pixels);
  var scale = 1.0 / sqrt(variance + u.epsilon);
  if (u.hasGamma != 0) { scale *= gamma[c]; }
  var shift = -mean * scale;
  if (u.hasBeta != 0) { shift += beta[c]; }
  affine[c] = scale;
  affine[u.channels + c] = shift;
  moments[c] = mean;
  moments[u.channels + c] = variance;
}
