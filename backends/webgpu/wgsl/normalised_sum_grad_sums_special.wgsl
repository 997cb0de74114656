// Per channel sum m_k D x_k and sum m_k D of up to five terms with dropout masks or factors per
// sample: partial sums, [stride / C, rows, C], a part being `width` long, two rows a term from row
// `first`. Each of an invocation's four elements keeps to one channel and has partial sums of its
// own.
struct Uniforms {
  values: i32, elements: i32, before: i32, channels: i32, stride: i32, width: i32, first: i32,
  samples0: i32, samples1: i32, samples2: i32, samples3: i32, samples4: i32,
  threshold0: u32, threshold1: u32, threshold2: u32, threshold3: u32,
  threshold4: u32,
  keepScale0: f32, keepScale1: f32, keepScale2: f32, keepScale3: f32,
  keepScale4: f32,
  keyA0: u32, keyA1: u32, keyA2: u32, keyA3: u32, keyA4: u32,
  keyB0: u32, keyB1: u32, keyB2: u32, keyB3: u32, keyB4: u32,
  counter0: u32, counter1: u32, counter2: u32, counter3: u32, counter4: u32,
}
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> table: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read> x0: array<f32>;
@group(0) @binding(4) var<storage, read> x1: array<f32>;
@group(0) @binding(5) var<storage, read> x2: array<f32>;
@group(0) @binding(6) var<storage, read> x3: array<f32>;
@group(0) @binding(7) var<storage, read> x4: array<f32>;
@group(0) @binding(8) var<storage, read_write> partials: array<f32>;

fn put(row: i32, at: vec4i, sum: vec4f) {
  let to = at + vec4i((u.first + row) * u.channels);
  partials[to.x] = sum.x;
  partials[to.y] = sum.y;
  partials[to.z] = sum.z;
  partials[to.w] = sum.w;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let at = i32(id.x + id.y * groups.x * WORKGROUP);
  if (4 * at >= u.stride) { return; }
  let first = firstBlock(at);
  var ofX0 = vec4f(0.0);
  var ofShift0 = vec4f(0.0);
  var ofX1 = vec4f(0.0);
  var ofShift1 = vec4f(0.0);
  var ofX2 = vec4f(0.0);
  var ofShift2 = vec4f(0.0);
  var ofX3 = vec4f(0.0);
  var ofShift3 = vec4f(0.0);
  var ofX4 = vec4f(0.0);
  var ofShift4 = vec4f(0.0);
  for (var e = first; e.x < u.values; e += vec4i(u.stride)) {
    let i = min(e, vec4i(u.values - 1));
    let images = imagesOf(i);
    let inside = e < vec4i(u.values);
    let d = select(vec4f(0.0), vec4f(dy[i.x], dy[i.y], dy[i.z], dy[i.w]), inside);
    let d0 = d * factors(
      u.samples0, u.threshold0, u.keepScale0, vec2u(u.keyA0, u.keyB0), u.counter0,
      e, images,
    );
    ofX0 += d0 * vec4f(x0[i.x], x0[i.y], x0[i.z], x0[i.w]);
    ofShift0 += d0;
    if (TERMS > 1) {
      let d1 = d * factors(
        u.samples1, u.threshold1, u.keepScale1, vec2u(u.keyA1, u.keyB1), u.counter1,
        e, images,
      );
      ofX1 += d1 * vec4f(x1[i.x], x1[i.y], x1[i.z], x1[i.w]);
      ofShift1 += d1;
    }
    if (TERMS > 2) {
      let d2 = d * factors(
        u.samples2, u.threshold2, u.keepScale2, vec2u(u.keyA2, u.keyB2), u.counter2,
        e, images,
      );
      ofX2 += d2 * vec4f(x2[i.x], x2[i.y], x2[i.z], x2[i.w]);
      ofShift2 += d2;
    }
    if (TERMS > 3) {
      let d3 = d * factors(
        u.samples3, u.threshold3, u.keepScale3, vec2u(u.keyA3, u.keyB3), u.counter3,
        e, images,
      );
      ofX3 += d3 * vec4f(x3[i.x], x3[i.y], x3[i.z], x3[i.w]);
      ofShift3 += d3;
    }
    if (TERMS > 4) {
      let d4 = d * factors(
        u.samples4, u.threshold4, u.keepScale4, vec2u(u.keyA4, u.keyB4), u.counter4,
        e, images,
      );
      ofX4 += d4 * vec4f(x4[i.x], x4[i.y], x4[i.z], x4[i.w]);
      ofShift4 += d4;
    }
  }
  let channels = vec4i(u.channels);
  let to = first / channels * vec4i(u.width) + first % channels;
  put(0, to, ofX0);
  put(1, to, ofShift0);
  if (TERMS > 1) {
    put(2, to, ofX1);
    put(3, to, ofShift1);
  }
  if (TERMS > 2) {
    put(4, to, ofX2);
    put(5, to, ofShift2);
  }
  if (TERMS > 3) {
    put(6, to, ofX3);
    put(7, to, ofShift3);
  }
  if (TERMS > 4) {
    put(8, to, ofX4);
    put(9, to, ofShift4);
  }
}
