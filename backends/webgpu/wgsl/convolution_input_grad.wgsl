// The gradient of a dense convolution by its input: PIXELS pixels of a row by 4 channels an
// invocation (TAPS, SUMS and STORE are unrolled in kernels/convolution_grad.ts).
// Output pixel (i, j) reads x at (i stride - pad + r, j stride - pad + s). With `add`, adds to dx.
struct Uniforms {
  images: i32, height: i32, width: i32, channels: i32,
  outHeight: i32, outWidth: i32,
  // Channels of this filter, of a pixel of g, and before this filter's in a pixel of g.
  outChannels: i32, rowChannels: i32, firstChannel: i32,
  kernel: i32, stride: i32, pad: i32, add: i32
}
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> g: array<f32>;
@group(0) @binding(2) var<storage, read> w: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;

// Column of the output that column `j` of the padded input belongs to, or -1.
fn column(j: i32) -> i32 {
  if (j < 0 || j % u.stride != 0 || j / u.stride >= u.outWidth) { return -1; }
  return j / u.stride;
}

const PIXELS = 8;

fn store(pixel: i32, column: i32, channel: i32, value: vec4f) {
  if (column >= u.width) { return; }
  let at = (pixel + column) * u.channels + channel;
  for (var q = 0; q < min(4, u.channels - channel); q++) {
    var v = value[q];
    if (u.add != 0) { v += dx[at + q]; }
    dx[at + q] = v;
  }
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let at = i32(id.x + id.y * groups.x * WORKGROUP);
  let blocks = (u.channels + 3) / 4;
  let tiles = (u.width + PIXELS - 1) / PIXELS;
  if (at >= u.images * u.height * tiles * blocks) { return; }
  let c = at % blocks * 4;
  let first = at / blocks % tiles * PIXELS;
  let row = at / blocks / tiles;
  let image = row / u.height;
  let h = row % u.height;
  let last = u.channels - 1;
  // BEGIN
  for (var r = 0; r < u.kernel; r++) {
    let ii = h + u.pad - r;
    if (ii < 0 || ii % u.stride != 0 || ii / u.stride >= u.outHeight) { continue; }
    let outRow = (image * u.outHeight + ii / u.stride) * u.outWidth;
    for (var s = 0; s < u.kernel; s++) {
      let j = first + u.pad - s;
      // TAPS
      let tap = (r * u.kernel + s) * u.channels;
      let w0 = (tap + c) * u.outChannels; let w1 = (tap + min(c + 1, last)) * u.outChannels;
      let w2 = (tap + min(c + 2, last)) * u.outChannels;
      let w3 = (tap + min(c + 3, last)) * u.outChannels;
      for (var m = 0; m < u.outChannels; m++) {
        let f = vec4f(w[w0 + m], w[w1 + m], w[w2 + m], w[w3 + m]);
        // SUMS
      }
    }
  }
  let pixel = row * u.width;
  // STORE
}
