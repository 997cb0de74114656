// Adds partial results in their order, [parts, length] to [length]: one sum an invocation. With `add`,
// goes on from the sums so far.
struct Uniforms { length: i32, parts: i32, add: i32 }
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> parts: array<f32>;
@group(0) @binding(2) var<storage, read_write> sums: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let at = i32(id.x + id.y * groups.x * WORKGROUP);
  if (at >= u.length) { return; }
  var sum = 0.0;
  if (u.add != 0) { sum = sums[at]; }
  for (var part = 0; part < u.parts; part++) { sum += parts[part * u.length + at]; }
  sums[at] = sum;
}
