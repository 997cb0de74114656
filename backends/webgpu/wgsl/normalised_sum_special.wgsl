// Up to six terms with dropout masks or factors per sample, a block of four elements at a time: out
// = [out +] sum_k w_k m_k (scale_k x_k + shift_k).
struct Uniforms {
  values: i32, elements: i32, before: i32, channels: i32, stride: i32, first: i32, add: i32,
  samples0: i32, samples1: i32, samples2: i32, samples3: i32, samples4: i32, samples5: i32,
  threshold0: u32, threshold1: u32, threshold2: u32, threshold3: u32,
  threshold4: u32, threshold5: u32,
  keepScale0: f32, keepScale1: f32, keepScale2: f32, keepScale3: f32,
  keepScale4: f32, keepScale5: f32,
  keyA0: u32, keyA1: u32, keyA2: u32, keyA3: u32, keyA4: u32, keyA5: u32,
  keyB0: u32, keyB1: u32, keyB2: u32, keyB3: u32, keyB4: u32, keyB5: u32,
  counter0: u32, counter1: u32, counter2: u32, counter3: u32, counter4: u32, counter5: u32,
}
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> table: array<f32>;
@group(0) @binding(2) var<storage, read> x0: array<f32>;
@group(0) @binding(3) var<storage, read> x1: array<f32>;
@group(0) @binding(4) var<storage, read> x2: array<f32>;
@group(0) @binding(5) var<storage, read> x3: array<f32>;
@group(0) @binding(6) var<storage, read> x4: array<f32>;
@group(0) @binding(7) var<storage, read> x5: array<f32>;
@group(0) @binding(8) var<storage, read_write> out: array<f32>;

fn rowOf(k: i32) -> i32 { return (u.first + min(k, TERMS - 1)) * (2 * u.channels + 2); }
fn at4(row: i32, c: vec4i) -> vec4f {
  return vec4f(table[row + c.x], table[row + c.y], table[row + c.z], table[row + c.w]);
}
fn scale(k: i32, c: vec4i) -> vec4f { return table[rowOf(k)] * at4(rowOf(k) + 2, c); }
fn shift(k: i32, c: vec4i) -> vec4f {
  return table[rowOf(k)] * at4(rowOf(k) + 2 + u.channels, c);
}
fn put(e: i32, value: f32) {
  if (e >= u.values) { return; }
  var sum = value;
  if (u.add > 0) { sum += out[e]; }
  out[e] = sum;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let at = i32(id.x + id.y * groups.x * WORKGROUP);
  if (4 * at >= u.stride) { return; }
  let first = firstBlock(at);
  let c = first % vec4i(u.channels);
  let scale0 = scale(0, c);
  let shift0 = shift(0, c);
  let scale1 = scale(1, c);
  let shift1 = shift(1, c);
  let scale2 = scale(2, c);
  let shift2 = shift(2, c);
  let scale3 = scale(3, c);
  let shift3 = shift(3, c);
  let scale4 = scale(4, c);
  let shift4 = shift(4, c);
  let scale5 = scale(5, c);
  let shift5 = shift(5, c);
  for (var e = first; e.x < u.values; e += vec4i(u.stride)) {
    let i = min(e, vec4i(u.values - 1));
    let images = imagesOf(i);
    var sum = factors(
      u.samples0, u.threshold0, u.keepScale0, vec2u(u.keyA0, u.keyB0), u.counter0,
      e, images,
    ) * (scale0 * vec4f(x0[i.x], x0[i.y], x0[i.z], x0[i.w]) + shift0);
    if (TERMS > 1) {
      sum += factors(
        u.samples1, u.threshold1, u.keepScale1, vec2u(u.keyA1, u.keyB1), u.counter1,
        e, images,
      ) * (scale1 * vec4f(x1[i.x], x1[i.y], x1[i.z], x1[i.w]) + shift1);
    }
    if (TERMS > 2) {
      sum += factors(
        u.samples2, u.threshold2, u.keepScale2, vec2u(u.keyA2, u.keyB2), u.counter2,
        e, images,
      ) * (scale2 * vec4f(x2[i.x], x2[i.y], x2[i.z], x2[i.w]) + shift2);
    }
    if (TERMS > 3) {
      sum += factors(
        u.samples3, u.threshold3, u.keepScale3, vec2u(u.keyA3, u.keyB3), u.counter3,
        e, images,
      ) * (scale3 * vec4f(x3[i.x], x3[i.y], x3[i.z], x3[i.w]) + shift3);
    }
    if (TERMS > 4) {
      sum += factors(
        u.samples4, u.threshold4, u.keepScale4, vec2u(u.keyA4, u.keyB4), u.counter4,
        e, images,
      ) * (scale4 * vec4f(x4[i.x], x4[i.y], x4[i.z], x4[i.w]) + shift4);
    }
    if (TERMS > 5) {
      sum += factors(
        u.samples5, u.threshold5, u.keepScale5, vec2u(u.keyA5, u.keyB5), u.counter5,
        e, images,
      ) * (scale5 * vec4f(x5[i.x], x5[i.y], x5[i.z], x5[i.w]) + shift5);
    }
    put(e.x, sum.x);
    put(e.y, sum.y);
    put(e.z, sum.z);
    put(e.w, sum.w);
  }
}
