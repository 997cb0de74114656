// The transpose of a matrix, [rows, columns] to [columns, rows]: one value an invocation.
struct Uniforms { rows: i32, columns: i32 }
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let at = i32(id.x + id.y * groups.x * WORKGROUP);
  if (at >= u.rows * u.columns) { return; }
  y[at] = x[at % u.rows * u.columns + at / u.rows];
}
