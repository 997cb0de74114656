// The next running mean and variance of batch norms, [2, C] each: one value an invocation.
struct Uniforms {
  momentum: f32,
  // each
  groups#: i32, channels#: i32, unbiased#: f32,
  // end
}
@group(0) @binding(0) var<uniform> u: Uniforms;
// each
@group(0) @binding(_) var<storage, read> running#: array<f32>;
@group(0) @binding(_) var<storage, read> moments#: array<f32>;
@group(0) @binding(_) var<storage, read_write> next#: array<f32>;
// end

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) id: vec3u,
  @builtin(local_invocation_index) local: u32,
  @builtin(num_workgroups) count: vec3u,
) {
  var group = i32(id.x + id.y * count.x);
  // each
  if (group >= 0 && group < u.groups#) {
    let i = group * i32(WORKGROUP) + i32(local);
    if (i < 2 * u.channels#) {
      let value = moments#[i] * select(1.0, u.unbiased#, i >= u.channels#);
      next#[i] = (1.0 - u.momentum) * running#[i] + u.momentum * value;
    }
  }
  group -= u.groups#;
  // end
}
