// sum = a, or sum += a: one value an invocation.
struct Uniforms { elements: i32, add: i32 }
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read_write> sum: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let at = i32(id.x + id.y * groups.x * 64u);
  if (at >= u.elements) { return; }
  var v = a[at];
  if (u.add != 0) { v += sum[at]; }
  sum[at] = v;
}
