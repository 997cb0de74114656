// Depthwise convolutions of stride 1, forward and by input: a strip of 4 columns by ROWS rows an
// invocation, pixels `dilation` apart. Every value of the source is loaded once for all rows of the strip
// that it meets (WEIGHTS, BEGIN, COLUMNS, SUMS, STORE and SHIFT are unrolled for the kernel size in
// kernels/depthwise_strip.ts). The gradient by input is the same with the filter turned by 180 degrees.
struct Uniforms {
  images: i32, height: i32, width: i32, channels: i32, dilation: i32,
  // Of the source: 0 none, 1 ReLU, 2 ReLU of scale and shift.
  activation: i32,
  // First tap and step between taps, in taps; whether to add to the result.
  tap: i32, step: i32, add: i32
}
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> w: array<f32>;
@group(0) @binding(3) var<storage, read> affine: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

const KERNEL = 3;
const ROWS = 8;

var<private> scale: f32 = 1.0;
var<private> shift: f32 = 0.0;

fn load(row: i32, inside: bool, column: i32, c: i32) -> f32 {
  let v = x[(row + clamp(column, 0, u.width - 1)) * u.channels + c];
  let value = select(v, max(fma(v, scale, shift), 0.0), u.activation != 0);
  return select(0.0, value, inside && column >= 0 && column < u.width);
}

fn store(row: i32, column: i32, c: i32, value: f32) {
  if (column >= u.width) { return; }
  let at = (row + column) * u.channels + c;
  var v = value;
  if (u.add != 0) { v += y[at]; }
  y[at] = v;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let at = i32(id.x + id.y * groups.x * 64u);
  let d = u.dilation;
  let across = (u.width + 4 * d - 1) / (4 * d) * d;
  let down = (u.height + ROWS * d - 1) / (ROWS * d) * d;
  let c = at % u.channels;
  let tile = at / u.channels % across;
  let strip = at / u.channels / across % down;
  let image = at / u.channels / across / down;
  if (image >= u.images) { return; }
  if (u.activation == 2) { scale = affine[c]; shift = affine[u.channels + c]; }
  let column = tile % d + tile / d * 4 * d;
  let top = strip % d + strip / d * ROWS * d;
  let pad = d * (KERNEL - 1) / 2;
  let left = column - pad;
  // WEIGHTS
  // BEGIN
  for (var i = 0; i < ROWS + KERNEL - 1; i++) {
    let source = top - pad + i * d;
    let inside = source >= 0 && source < u.height;
    let from_row = (image * u.height + clamp(source, 0, u.height - 1)) * u.width;
    // COLUMNS
    // SUMS
    let made = top + (i - KERNEL + 1) * d;
    if (i >= KERNEL - 1 && made < u.height) {
      let to_row = (image * u.height + made) * u.width;
      // STORE
    }
    // SHIFT
  }
}
