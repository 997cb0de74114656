// Depthwise convolution of activated images, [N, H, W, C] to [N, OH, OW, C]: ROWS by COLUMNS
// results of one channel an invocation, neighbouring invocations on neighbouring channels. Each
// value of x is read and activated once for all windows of the tile that cover it; rows of a tile
// lie as far apart as the taps of a dilated window, so that they cover the same values.
//
// kernels/depthwise.ts sets the constants and writes the tile out where TILE stands, for one
// window: compilers that leave a loop over an array of registers as it is keep the array in memory.
const STRIDE = 1;
const PAD = 1;
const ROWS = 1;
// From one row of a tile to the next.
const APART = 1;
const COLUMNS = 8;
// Of x.
alias Stored = f32;
struct Uniforms {
  height: i32, width: i32, channels: i32, outHeight: i32, outWidth: i32, down: i32, across: i32,
  invocations: i32, relu: i32, affine: i32,
  // The first tap, and from a tap to the next: a filter is taken as it is or turned by 180 degrees.
  tap: i32, step: i32, add: i32,
}
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> x: array<Stored>;
// [k, k, C, 1]
@group(0) @binding(2) var<storage, read> w: array<f32>;
// Scale and shift, [2, C]; any buffer without an affine activation.
@group(0) @binding(3) var<storage, read> pair: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let at = i32(id.x + id.y * groups.x * WORKGROUP);
  if (at >= u.invocations) { return; }
  let tile = at / u.channels;
  let c = at - tile * u.channels;
  let band = tile / u.across;
  let j = (tile - band * u.across) * COLUMNS;
  let n = band / u.down;
  let position = band - n * u.down;
  let i = (position / APART * ROWS) * APART + position % APART;
  var scale = 1.0;
  var shift = 0.0;
  if (u.affine != 0) {
    scale = pair[c];
    shift = pair[u.channels + c];
  }
  let top = i * STRIDE - PAD;
  let left = j * STRIDE - PAD;
  // TILE
}

// The start of a row of x, and whether there is one.
struct Row { start: i32, inside: bool }

fn rowAt(n: i32, p: i32) -> Row {
  let start = (n * u.height + clamp(p, 0, u.height - 1)) * u.width * u.channels;
  return Row(start, p >= 0 && p < u.height);
}

// The place of a column and channel in a row of x, and whether there is one.
struct Column { at: i32, inside: bool }

fn columnAt(q: i32, c: i32) -> Column {
  return Column(clamp(q, 0, u.width - 1) * u.channels + c, q >= 0 && q < u.width);
}

fn valueAt(row: Row, column: Column, scale: f32, shift: f32) -> f32 {
  let value = scale * f32(x[row.start + column.at]) + shift;
  let activated = select(value, max(value, 0.0), u.relu != 0);
  return select(0.0, activated, row.inside && column.inside);
}

fn store(n: i32, i: i32, j: i32, c: i32, value: f32) {
  if (i < u.outHeight && j < u.outWidth) {
    let at = ((n * u.outHeight + i) * u.outWidth + j) * u.channels + c;
    if (u.add != 0) { y[at] += value; } else { y[at] = value; }
  }
}
