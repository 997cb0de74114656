// The gradient of a dense convolution by its filter, as partial sums over parts of the output pixels:
// 8 input by 8 output channels of one tap in one part an invocation (BEGIN, SUMS and STORE are unrolled
// in kernels/convolution_grad.ts). How four channels are read comes from quads_grad.wgsl, where all
// counts of channels divide by four, or from singles_grad.wgsl. `partial` is
// [parts, kernel^2, channels, outChannels]; reading as in convolution_input_grad.wgsl.
struct Uniforms {
  height: i32, width: i32, channels: i32,
  outHeight: i32, outWidth: i32, pixels: i32,
  outChannels: i32, rowChannels: i32, firstChannel: i32,
  kernel: i32, stride: i32, pad: i32,
  // Of the input: 0 none, 1 ReLU, 2 ReLU of scale and shift.
  activation: i32, parts: i32
}
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> x: array<Item>;
@group(0) @binding(2) var<storage, read> affine: array<Item>;
@group(0) @binding(3) var<storage, read> g: array<Item>;
@group(0) @binding(4) var<storage, read_write> partial: array<f32>;

fn activated(value: vec4f, scale: vec4f, shift: vec4f) -> vec4f {
  return select(value, max(fma(value, scale, shift), vec4f()), u.activation != 0);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let at = i32(id.x + id.y * groups.x * WORKGROUP);
  let columns = (u.outChannels + 7) / 8;
  let rows = (u.channels + 7) / 8;
  let taps = u.kernel * u.kernel;
  if (at >= columns * rows * taps * u.parts) { return; }
  let m = at % columns * 8;
  let c = at / columns % rows * 8;
  let tap = at / columns / rows % taps;
  let part = at / columns / rows / taps;
  var scale0 = vec4f(1.0); var scale1 = vec4f(1.0); var shift0 = vec4f(); var shift1 = vec4f();
  if (u.activation == 2) {
    scale0 = pairAt(0, c); scale1 = pairAt(0, c + 4);
    shift0 = pairAt(u.channels, c); shift1 = pairAt(u.channels, c + 4);
  }
  // BEGIN
  let top = tap / u.kernel - u.pad; let left = tap % u.kernel - u.pad;
  let share = (u.pixels + u.parts - 1) / u.parts;
  let begin = part * share; let end = min(begin + share, u.pixels);
  var j = begin % u.outWidth; var i = begin / u.outWidth % u.outHeight;
  var image = begin / u.outWidth / u.outHeight;
  for (var p = begin; p < end; p++) {
    let h = i * u.stride + top; let w = j * u.stride + left;
    if (h >= 0 && h < u.height && w >= 0 && w < u.width) {
      let origin = ((image * u.height + h) * u.width + w) * u.channels;
      let q = p * u.rowChannels + u.firstChannel;
      let low = gAt(q, m); let high = gAt(q, m + 4);
      let near = activated(xAt(origin, c), scale0, shift0);
      let far = activated(xAt(origin, c + 4), scale1, shift1);
      // SUMS
    }
    j++;
    if (j == u.outWidth) { j = 0; i++; }
    if (i == u.outHeight) { i = 0; image++; }
  }
  let to = ((part * taps + tap) * u.channels + c) * u.outChannels + m;
  // STORE
}

fn store(to: i32, c: i32, m: i32, low: vec4f, high: vec4f) {
  if (c >= u.channels) { return; }
  for (var q = 0; q < min(4, u.outChannels - m); q++) { partial[to + q] = low[q]; }
  for (var q = 4; q < min(8, u.outChannels - m); q++) { partial[to + q] = high[q - 4]; }
}
