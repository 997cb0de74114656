// A step of SGD with momentum: one value of a parameter an invocation.
struct Uniforms {
  decay: f32, momentum: f32, rate: f32,
  // each
  groups#: i32, size#: i32,
  // end
}
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(_) var<storage, read> factor: array<f32>;
// each
@group(0) @binding(_) var<storage, read> p#: array<f32>;
@group(0) @binding(_) var<storage, read> g#: array<f32>;
@group(0) @binding(_) var<storage, read> m#: array<f32>;
@group(0) @binding(_) var<storage, read_write> newP#: array<f32>;
@group(0) @binding(_) var<storage, read_write> newM#: array<f32>;
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
    if (i < u.size#) {
      let g = g#[i] * factor[0] + u.decay * p#[i];
      let m = u.momentum * m#[i] + g;
      newM#[i] = m;
      newP#[i] = p#[i] - u.rate * m;
    }
  }
  group -= u.groups#;
  // end
}
