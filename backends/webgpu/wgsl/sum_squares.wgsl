// Sums of squares of parts of each tensor; part i takes the values i, i + parts, ...
struct Uniforms {
  // each
  groups#: i32, size#: i32, parts#: i32, first#: i32,
  // end
}
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(_) var<storage, read_write> sums: array<f32>;
// each
@group(0) @binding(_) var<storage, read> x#: array<f32>;
// end

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) id: vec3u,
  @builtin(local_invocation_index) local: u32,
  @builtin(num_workgroups) count: vec3u,
) {
  var group = i32(id.x + id.y * count.x);
  var sum = 0.0;
  // each
  if (group >= 0 && group < u.groups#) {
    let part = group * i32(WORKGROUP) + i32(local);
    if (part < u.parts#) {
      for (var i = part; i < u.size#; i += u.parts#) { sum += x#[i] * x#[i]; }
      sums[u.first# + part] = sum;
    }
  }
  group -= u.groups#;
  // end
}
