// The gradient of a batch norm by its input, as coefficients of y and 1 per channel (see
// kernels/branches_grad.ts), and the gradients of gamma and beta: one channel an invocation.
struct Uniforms { channels: i32, count: f32, epsilon: f32, hasGamma: i32 }
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> affine: array<f32>;
@group(0) @binding(2) var<storage, read> moments: array<f32>;
@group(0) @binding(3) var<storage, read> dAffine: array<f32>;
@group(0) @binding(4) var<storage, read> gamma: array<f32>;
@group(0) @binding(5) var<storage, read_write> coefficients: array<f32>;
@group(0) @binding(6) var<storage, read_write> dGamma: array<f32>;
@group(0) @binding(7) var<storage, read_write> dBeta: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let c = i32(id.x);
  if (c >= u.channels) { return; }
  let mean = moments[c];
  let inverse = 1.0 / sqrt(moments[u.channels + c] + u.epsilon);
  let ofShift = dAffine[u.channels + c];
  let centred = dAffine[c] - mean * ofShift;
  var scale = 1.0;
  if (u.hasGamma != 0) { scale = gamma[c]; }
  let ofVariance = -0.5 * scale * inverse * inverse * inverse * centred;
  var b = 0.0; // a single value never varies
  if (u.count > 1.0) { b = 2.0 * ofVariance / u.count; }
  coefficients[c] = b;
  coefficients[u.channels + c] = -affine[c] * ofShift / u.count - mean * b;
  dGamma[c] = inverse * centred;
  dBeta[c] = ofShift;
}
