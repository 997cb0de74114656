// Up to six terms without masks and factors per sample: out = [out +] sum_k w_k (scale_k x_k +
// shift_k). An invocation keeps to its channels, so that the coefficients stay in registers.
struct Uniforms {
  // In units of Value.
  values: i32, stride: i32,
  channels: i32, first: i32, terms: i32, add: i32,
}
// Of x.
alias Stored = Value;
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> table: array<f32>;
@group(0) @binding(2) var<storage, read> x0: array<Stored>;
@group(0) @binding(3) var<storage, read> x1: array<Stored>;
@group(0) @binding(4) var<storage, read> x2: array<Stored>;
@group(0) @binding(5) var<storage, read> x3: array<Stored>;
@group(0) @binding(6) var<storage, read> x4: array<Stored>;
@group(0) @binding(7) var<storage, read> x5: array<Stored>;
@group(0) @binding(8) var<storage, read_write> out: array<Value>;

fn rowOf(k: i32) -> i32 { return (u.first + min(k, u.terms - 1)) * (2 * u.channels + 2); }
fn scale(k: i32, c: i32) -> Value { return table[rowOf(k)] * coefficients(rowOf(k) + 2 + c); }

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let at = i32(id.x + id.y * groups.x * WORKGROUP);
  if (at >= u.stride) { return; }
  let c = at * LANES % u.channels;
  var shift = Value();
  for (var k = 0; k < u.terms; k++) {
    shift += table[rowOf(k)] * coefficients(rowOf(k) + 2 + u.channels + c);
  }
  let scale0 = scale(0, c);
  let scale1 = scale(1, c);
  let scale2 = scale(2, c);
  let scale3 = scale(3, c);
  let scale4 = scale(4, c);
  let scale5 = scale(5, c);
  for (var e = at; e < u.values; e += u.stride) {
    var sum = shift;
    if (u.add > 0) { sum += out[e]; }
    sum += scale0 * Value(x0[e]);
    if (u.terms > 1) { sum += scale1 * Value(x1[e]); }
    if (u.terms > 2) { sum += scale2 * Value(x2[e]); }
    if (u.terms > 3) { sum += scale3 * Value(x3[e]); }
    if (u.terms > 4) { sum += scale4 * Value(x4[e]); }
    if (u.terms > 5) { sum += scale5 * Value(x5[e]); }
    out[e] = sum;
  }
}
