// Copies tensors: four values of one an invocation.
struct Uniforms {
  // each
  groups#: i32, size#: i32,
  // end
}
@group(0) @binding(0) var<uniform> u: Uniforms;
// each
@group(0) @binding(_) var<storage, read> x#: array<u32>;
@group(0) @binding(_) var<storage, read_write> copy#: array<u32>;
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
    let first = group * i32(WORKGROUP) + i32(local);
    for (var i = first; i < u.size#; i += u.groups# * i32(WORKGROUP)) { copy#[i] = x#[i]; }
  }
  group -= u.groups#;
  // end
}
