// The gradients of up to six x with dropout masks or factors per sample, dx_k = w_k scale_k m_k D,
// a block of four elements at a time.
struct Uniforms {
  values: i32, elements: i32, before: i32, channels: i32, stride: i32, first: i32,
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
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx0: array<f32>;
@group(0) @binding(4) var<storage, read_write> dx1: array<f32>;
@group(0) @binding(5) var<storage, read_write> dx2: array<f32>;
@group(0) @binding(6) var<storage, read_write> dx3: array<f32>;
@group(0) @binding(7) var<storage, read_write> dx4: array<f32>;
@group(0) @binding(8) var<storage, read_write> dx5: array<f32>;

fn rowOf(k: i32) -> i32 { return (u.first + min(k, TERMS - 1)) * (2 * u.channels + 2); }
fn at4(row: i32, c: vec4i) -> vec4f {
  return vec4f(table[row + c.x], table[row + c.y], table[row + c.z], table[row + c.w]);
}
fn scale(k: i32, c: vec4i) -> vec4f { return table[rowOf(k)] * at4(rowOf(k) + 2, c); }
fn put(e: i32, g0: f32, g1: f32, g2: f32, g3: f32, g4: f32, g5: f32) {
  if (e >= u.values) { return; }
  dx0[e] = g0;
  if (TERMS > 1) { dx1[e] = g1; }
  if (TERMS > 2) { dx2[e] = g2; }
  if (TERMS > 3) { dx3[e] = g3; }
  if (TERMS > 4) { dx4[e] = g4; }
  if (TERMS > 5) { dx5[e] = g5; }
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let at = i32(id.x + id.y * groups.x * WORKGROUP);
  if (4 * at >= u.stride) { return; }
  let first = firstBlock(at);
  let c = first % vec4i(u.channels);
  let scale0 = scale(0, c);
  let scale1 = scale(1, c);
  let scale2 = scale(2, c);
  let scale3 = scale(3, c);
  let scale4 = scale(4, c);
  let scale5 = scale(5, c);
  for (var e = first; e.x < u.values; e += vec4i(u.stride)) {
    let i = min(e, vec4i(u.values - 1));
    let images = imagesOf(i);
    let d = vec4f(dy[i.x], dy[i.y], dy[i.z], dy[i.w]);
    let g0 = d * scale0 * factors(
      u.samples0, u.threshold0, u.keepScale0, vec2u(u.keyA0, u.keyB0), u.counter0,
      e, images,
    );
    var g1 = vec4f(0.0);
    if (TERMS > 1) {
      g1 = d * scale1 * factors(
        u.samples1, u.threshold1, u.keepScale1, vec2u(u.keyA1, u.keyB1), u.counter1,
        e, images,
      );
    }
    var g2 = vec4f(0.0);
    if (TERMS > 2) {
      g2 = d * scale2 * factors(
        u.samples2, u.threshold2, u.keepScale2, vec2u(u.keyA2, u.keyB2), u.counter2,
        e, images,
      );
    }
    var g3 = vec4f(0.0);
    if (TERMS > 3) {
      g3 = d * scale3 * factors(
        u.samples3, u.threshold3, u.keepScale3, vec2u(u.keyA3, u.keyB3), u.counter3,
        e, images,
      );
    }
    var g4 = vec4f(0.0);
    if (TERMS > 4) {
      g4 = d * scale4 * factors(
        u.samples4, u.threshold4, u.keepScale4, vec2u(u.keyA4, u.keyB4), u.counter4,
        e, images,
      );
    }
    var g5 = vec4f(0.0);
    if (TERMS > 5) {
      g5 = d * scale5 * factors(
        u.samples5, u.threshold5, u.keepScale5, vec2u(u.keyA5, u.keyB5), u.counter5,
        e, images,
      );
    }
    put(e.x, g0.x, g1.x, g2.x, g3.x, g4.x, g5.x);
    put(e.y, g0.y, g1.y, g2.y, g3.y, g4.y, g5.y);
    put(e.z, g0.z, g1.z, g2.z, g3.z, g4.z, g5.z);
    put(e.w, g0.w, g1.w, g2.w, g3.w, g4.w, g5.w);
  }
}
