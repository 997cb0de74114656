// sum = a, or sum += a: one item an invocation, a value or four of them.
// In items.
struct Uniforms { elements: i32, channels: i32, add: i32 }
alias Item = f32;
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> a: array<Item>;
@group(0) @binding(2) var<storage, read_write> sum: array<Item>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let at = i32(id.x + id.y * groups.x * WORKGROUP);
  if (at >= u.elements) { return; }
  var v = a[at];
  if (u.add != 0) { v += sum[at]; }
  sum[at] = v;
}
