// The norm of all gradients from sums of their squares, and the factor that clips it.
struct Uniforms { size: i32, clip: f32 }
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> sums: array<f32>;
@group(0) @binding(2) var<storage, read_write> norm: array<f32>;
@group(0) @binding(3) var<storage, read_write> factor: array<f32>;

@compute @workgroup_size(1)
fn main() {
  var sum = 0.0;
  for (var i = 0; i < u.size; i++) { sum += sums[i]; }
  let root = sqrt(sum);
  norm[0] = root;
  factor[0] = 1.0;
  if (!(root + 1e-6 <= u.clip)) { factor[0] = u.clip / (root + 1e-6); }
}
