// global_norm.wgsl, by one subgroup.
struct Uniforms { size: i32, clip: f32 }
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> sums: array<f32>;
@group(0) @binding(2) var<storage, read_write> norm: array<f32>;
@group(0) @binding(3) var<storage, read_write> factor: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(s: Subgroup) {
  if (firstResult(s) != 0) { return; }
  var own = 0.0;
  for (var i = i32(s.lane); i < u.size; i += i32(s.lanes)) { own += sums[i]; }
  let root = sqrt(subgroupAdd(own));
  if (s.lane != 0) { return; }
  norm[0] = root;
  factor[0] = 1.0;
  if (!(root + 1e-6 <= u.clip)) { factor[0] = u.clip / (root + 1e-6); }
}
