// Sums of parts of a list; part i takes the values i, i + parts, ...
struct Uniforms { size: i32, parts: i32 }
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> sums: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let part = i32(id.x);
  if (part >= u.parts) { return; }
  var sum = 0.0;
  for (var i = part; i < u.size; i += u.parts) { sum += x[i]; }
  sums[part] = sum;
}
