// The gradients of up to six x without masks, dx_k = w_k scale_k D. An invocation keeps to its
// channels.
struct Uniforms {
  // In units of Value.
  values: i32, stride: i32,
  channels: i32, first: i32, terms: i32,
}
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> table: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<Value>;
@group(0) @binding(3) var<storage, read_write> dx0: array<Value>;
@group(0) @binding(4) var<storage, read_write> dx1: array<Value>;
@group(0) @binding(5) var<storage, read_write> dx2: array<Value>;
@group(0) @binding(6) var<storage, read_write> dx3: array<Value>;
@group(0) @binding(7) var<storage, read_write> dx4: array<Value>;
@group(0) @binding(8) var<storage, read_write> dx5: array<Value>;

fn rowOf(k: i32) -> i32 { return (u.first + min(k, u.terms - 1)) * (2 * u.channels + 2); }
fn scale(k: i32, c: i32) -> Value { return table[rowOf(k)] * coefficients(rowOf(k) + 2 + c); }

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let at = i32(id.x + id.y * groups.x * WORKGROUP);
  if (at >= u.stride) { return; }
  let c = at * LANES % u.channels;
  let scale0 = scale(0, c);
  let scale1 = scale(1, c);
  let scale2 = scale(2, c);
  let scale3 = scale(3, c);
  let scale4 = scale(4, c);
  let scale5 = scale(5, c);
  for (var e = at; e < u.values; e += u.stride) {
    let d = dy[e];
    dx0[e] = scale0 * d;
    if (u.terms > 1) { dx1[e] = scale1 * d; }
    if (u.terms > 2) { dx2[e] = scale2 * d; }
    if (u.terms > 3) { dx3[e] = scale3 * d; }
    if (u.terms > 4) { dx4[e] = scale4 * d; }
    if (u.terms > 5) { dx5[e] = scale5 * d; }
  }
}
