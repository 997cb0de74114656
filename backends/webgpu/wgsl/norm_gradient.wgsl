// The gradient of a batch norm by its input, as coefficients of y and 1 per channel (see
// kernels/branches_grad.ts), and the gradients of gamma and beta: one channel an invocation.
struct Uniforms { channels: i32, count: f32, epsilon: f32, has_gamma: i32 }
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> affine: array<f32>;
@group(0) @binding(2) var<storage, read> moments: array<f32>;
@group(0) @binding(3) var<storage, read> d_affine: array<f32>;
@group(0) @binding(4) var<storage, read> gamma: array<f32>;
@group(0) @binding(5) var<storage, read_write> coefficients: array<f32>;
@group(0) @binding(6) var<storage, read_write> d_gamma: array<f32>;
@group(0) @binding(7) var<storage, read_write> d_beta: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let c = i32(id.x);
  if (c >= u.channels) { return; }
  let mean = moments[c];
  let inverse = 1.0 / sqrt(moments[u.channels + c] + u.epsilon);
  let of_shift = d_affine[u.channels + c];
  let centred = d_affine[c] - mean * of_shift;
  var scale = 1.0;
  if (u.has_gamma != 0) { scale = gamma[c]; }
  let of_variance = -0.5 * scale * inverse * inverse * inverse * centred;
  var b = 0.0; // a single value never varies
  if (u.count > 1.0) { b = 2.0 * of_variance / u.count; }
  coefficients[c] = b;
  coefficients[u.channels + c] = -affine[c] * of_shift / u.count - mean * b;
  d_gamma[c] = inverse * centred;
  d_beta[c] = of_shift;
}
