// Per channel sum D and, for up to six terms without masks, sum D x_k: partial sums, one per
// invocation, [stride / C, rows, C], a part being `width` long. Row `first` + k is term k's, row
// `sumRow` that of D, written where it is >= 0.
struct Uniforms {
  // In units of Value.
  values: i32, stride: i32, channels: i32, width: i32,
  first: i32, sumRow: i32, terms: i32,
}
// Of x.
alias Stored = Value;
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> dy: array<Value>;
@group(0) @binding(2) var<storage, read> x0: array<Stored>;
@group(0) @binding(3) var<storage, read> x1: array<Stored>;
@group(0) @binding(4) var<storage, read> x2: array<Stored>;
@group(0) @binding(5) var<storage, read> x3: array<Stored>;
@group(0) @binding(6) var<storage, read> x4: array<Stored>;
@group(0) @binding(7) var<storage, read> x5: array<Stored>;
@group(0) @binding(8) var<storage, read_write> partials: array<Value>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let at = i32(id.x + id.y * groups.x * WORKGROUP);
  if (at >= u.stride) { return; }
  var sum = Value();
  var sum0 = Value();
  var sum1 = Value();
  var sum2 = Value();
  var sum3 = Value();
  var sum4 = Value();
  var sum5 = Value();
  for (var e = at; e < u.values; e += u.stride) {
    let d = dy[e];
    sum += d;
    sum0 += d * Value(x0[e]);
    if (u.terms > 1) { sum1 += d * Value(x1[e]); }
    if (u.terms > 2) { sum2 += d * Value(x2[e]); }
    if (u.terms > 3) { sum3 += d * Value(x3[e]); }
    if (u.terms > 4) { sum4 += d * Value(x4[e]); }
    if (u.terms > 5) { sum5 += d * Value(x5[e]); }
  }
  let to = at / u.channels * u.width + at % u.channels;
  partials[to + u.first * u.channels] = sum0;
  if (u.terms > 1) { partials[to + (u.first + 1) * u.channels] = sum1; }
  if (u.terms > 2) { partials[to + (u.first + 2) * u.channels] = sum2; }
  if (u.terms > 3) { partials[to + (u.first + 3) * u.channels] = sum3; }
  if (u.terms > 4) { partials[to + (u.first + 4) * u.channels] = sum4; }
  if (u.terms > 5) { partials[to + (u.first + 5) * u.channels] = sum5; }
  if (u.sumRow >= 0) { partials[to + u.sumRow * u.channels] = sum; }
}
