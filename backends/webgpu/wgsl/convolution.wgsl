// Dense convolution of activated images,
//   y[n, i, j, first + m] =
//     sum over r, s, c of a[n, i stride - pad + r, j stride - pad + s, c] w[r, s, c, m]:
// eight pixels of a row by eight channels an invocation, so that 16 values read serve 64 products,
// neighbouring invocations on neighbouring channels. How four channels are read and written comes
// from quads.wgsl, where all counts of channels divide by four, or from singles.wgsl.
const AFFINE = false;
// Of y.
alias Stored = Item;
struct Uniforms {
  height: i32, width: i32, channels: i32, outHeight: i32, outWidth: i32, outChannels: i32,
  across: i32, invocations: i32, kernel: i32, stride: i32, pad: i32, results: i32, first: i32,
  relu: i32,
}
@group(0) @binding(0) var<uniform> u: Uniforms;
// [N, H, W, C]
@group(0) @binding(1) var<storage, read> x: array<Item>;
// [k, k, C, M]
@group(0) @binding(2) var<storage, read> w: array<Item>;
// Scale and shift, [2, C]; any buffer without AFFINE.
@group(0) @binding(3) var<storage, read> pair: array<Item>;
// [N, OH, OW, C']
@group(0) @binding(4) var<storage, read_write> y: array<Stored>;

fn activate(value: vec4f, scale: vec4f, shift: vec4f, inside: bool) -> vec4f {
  if (AFFINE) { return select(vec4f(), max(scale * value + shift, vec4f()), inside); }
  return select(vec4f(), select(value, max(value, vec4f()), u.relu != 0), inside);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let at = i32(id.x + id.y * groups.x * WORKGROUP);
  if (at >= u.invocations) { return; }
  let tiles = (u.results + 7) / 8;
  let tile = at / tiles;
  let m = (at - tile * tiles) * 8;
  let row = tile / u.across;
  let j = (tile - row * u.across) * 8;
  let n = row / u.outHeight;
  let i = row - n * u.outHeight;
  var sums: array<vec4f, 16>;
  for (var r = 0; r < u.kernel; r++) {
    let p = i * u.stride - u.pad + r;
    if (p < 0 || p >= u.height) { continue; }
    for (var s = 0; s < u.kernel; s++) {
      let q0 = j * u.stride - u.pad + s;
      let near = q0 + vec4i(0, 1, 2, 3) * u.stride;
      let far = near + 4 * u.stride;
      let start = (n * u.height + p) * u.width;
      let last = vec4i(u.width - 1);
      let a = (start + clamp(near, vec4i(), last)) * u.channels;
      let b = (start + clamp(far, vec4i(), last)) * u.channels;
      let insideA = (near >= vec4i()) & (near <= last);
      let insideB = (far >= vec4i()) & (far <= last);
      let base = (r * u.kernel + s) * u.channels;
      for (var c = 0; c < u.channels; c += 4) {
        var scale = vec4f(1.0);
        var shift = vec4f();
        if (AFFINE) {
          scale = pairAt(0, c);
          shift = pairAt(u.channels, c);
        }
        let v0 = activate(xAt(a.x, c), scale, shift, insideA.x);
        let v1 = activate(xAt(a.y, c), scale, shift, insideA.y);
        let v2 = activate(xAt(a.z, c), scale, shift, insideA.z);
        let v3 = activate(xAt(a.w, c), scale, shift, insideA.w);
        let v4 = activate(xAt(b.x, c), scale, shift, insideB.x);
        let v5 = activate(xAt(b.y, c), scale, shift, insideB.y);
        let v6 = activate(xAt(b.z, c), scale, shift, insideB.z);
        let v7 = activate(xAt(b.w, c), scale, shift, insideB.w);
        let low = mat4x4f(
          wAt(base, c, m),
          wAt(base, c + 1, m),
          wAt(base, c + 2, m),
          wAt(base, c + 3, m),
        );
        let high = mat4x4f(
          wAt(base, c, m + 4),
          wAt(base, c + 1, m + 4),
          wAt(base, c + 2, m + 4),
          wAt(base, c + 3, m + 4),
        );
        sums[0] += low * v0;
        sums[1] += high * v0;
        sums[2] += low * v1;
        sums[3] += high * v1;
        sums[4] += low * v2;
        sums[5] += high * v2;
        sums[6] += low * v3;
        sums[7] += high * v3;
        sums[8] += low * v4;
        sums[9] += high * v4;
        sums[10] += low * v5;
        sums[11] += high * v5;
        sums[12] += low * v6;
        sums[13] += high * v6;
        sums[14] += low * v7;
        sums[15] += high * v7;
      }
    }
  }
  let origin = ((n * u.outHeight + i) * u.outWidth + j) * u.outChannels + u.first;
  store(origin, 0, j, m, sums[0], sums[1]);
  store(origin, 1, j, m, sums[2], sums[3]);
  store(origin, 2, j, m, sums[4], sums[5]);
  store(origin, 3, j, m, sums[6], sums[7]);
  store(origin, 4, j, m, sums[8], sums[9]);
  store(origin, 5, j, m, sums[10], sums[11]);
  store(origin, 6, j, m, sums[12], sums[13]);
  store(origin, 7, j, m, sums[14], sums[15]);
}

fn store(origin: i32, k: i32, j: i32, m: i32, low: vec4f, high: vec4f) {
  if (j + k >= u.outWidth) { return; }
  put(origin + k * u.outChannels, m, low);
  if (m + 4 < u.results) { put(origin + k * u.outChannels, m + 4, high); }
}
