// Copies columns of a matrix into columns of another with as many rows: one item an invocation, a value
// or four of them.
// In items.
struct Uniforms {
  elements: i32, width: i32, fromWidth: i32, fromFirst: i32, toWidth: i32, toFirst: i32,
}
alias Item = f32;
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> x: array<Item>;
@group(0) @binding(2) var<storage, read_write> y: array<Item>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let at = i32(id.x + id.y * groups.x * WORKGROUP);
  if (at >= u.elements) { return; }
  let row = at / u.width;
  let column = at - row * u.width;
  y[row * u.toWidth + u.toFirst + column] = x[row * u.fromWidth + u.fromFirst + column];
}
