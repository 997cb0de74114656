// The gradient of a depthwise convolution by its filter, as partial sums over parts of the output's rows:
// all taps of one channel in one part an invocation. A window of the activated input slides along a row of
// the output, so that every value is loaded once a row of taps (WINDOW, LINES, FILL, SLIDE, SUM and STORE
// are unrolled for the kernel size in kernels/depthwise_grad.ts). `partial` is
// [parts, kernel, kernel, channels].
struct Uniforms {
  height: i32, width: i32, channels: i32, rows: i32,
  outHeight: i32, outWidth: i32, stride: i32, dilation: i32,
  // Of the input: 0 none, 1 ReLU, 2 ReLU of scale and shift.
  activation: i32, parts: i32
}
// Of x.
alias Stored = f32;
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> x: array<Stored>;
@group(0) @binding(2) var<storage, read> affine: array<f32>;
@group(0) @binding(3) var<storage, read> g: array<f32>;
@group(0) @binding(4) var<storage, read_write> partial: array<f32>;

const KERNEL = 3;

var<private> scale: f32 = 1.0;
var<private> shift: f32 = 0.0;

// Where a row of the input begins, in pixels, or -1.
fn line(image: i32, h: i32) -> i32 {
  return select(-1, (image * u.height + h) * u.width, h >= 0 && h < u.height);
}

fn load(start: i32, column: i32, c: i32) -> f32 {
  let v = f32(x[(max(start, 0) + clamp(column, 0, u.width - 1)) * u.channels + c]);
  let value = select(v, max(fma(v, scale, shift), 0.0), u.activation != 0);
  return select(0.0, value, start >= 0 && column >= 0 && column < u.width);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let at = i32(id.x + id.y * groups.x * WORKGROUP);
  if (at >= u.channels * u.parts) { return; }
  let c = at % u.channels;
  let part = at / u.channels;
  if (u.activation == 2) { scale = affine[c]; shift = affine[u.channels + c]; }
  let pad = u.dilation * (KERNEL - 1) / 2;
  let share = (u.rows + u.parts - 1) / u.parts;
  let end = min((part + 1) * share, u.rows);
  // WINDOW
  for (var row = part * share; row < end; row++) {
    let image = row / u.outHeight;
    let top = row % u.outHeight * u.stride - pad;
    // LINES
    for (var phase = 0; phase < u.dilation; phase++) {
      // Output columns phase, phase + dilation, ... read columns that are as far apart.
      var column = phase * u.stride - pad;
      // FILL
      for (var j = phase; j < u.outWidth; j += u.dilation) {
        // SLIDE
        let d = g[(row * u.outWidth + j) * u.channels + c];
        // SUM
      }
    }
  }
  let to = part * KERNEL * KERNEL * u.channels + c;
  // STORE
}
