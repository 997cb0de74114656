// 3x3 pools with padding 1, [N, H, W, C] to [N, OH, OW, C]: four results of a row an invocation,
// which share the columns that they read. The padding is neither a maximum nor counted in a mean.
const MEAN = false;
const STRIDE = 1;
// Of y.
alias Stored = f32;
struct Uniforms {
  height: i32, width: i32, channels: i32, outHeight: i32, outWidth: i32, across: i32,
  invocations: i32,
}
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<Stored>;

// Four columns of x: where they are, and whether there are such.
struct Columns { place: vec4i, inside: vec4<bool> }

fn columnsAt(q: i32, c: i32) -> Columns {
  let columns = q + vec4i(0, 1, 2, 3);
  let last = vec4i(u.width - 1);
  let inside = (columns >= vec4i()) & (columns <= last);
  // The pixel that stands in for one outside is in the same window: the maximum stays.
  return Columns(clamp(columns, vec4i(), last) * u.channels + c, inside);
}

// The pool of these four columns over the rows of a window.
fn poolOf(columns: Columns, start: i32, rows: i32) -> vec4f {
  var best = vec4f(select(-3.4028234e38, 0.0, MEAN));
  for (var row = 0; row < rows; row++) {
    let at = start + row * u.width * u.channels + columns.place;
    let value = vec4f(x[at.x], x[at.y], x[at.z], x[at.w]);
    best = select(max(best, value), best + select(vec4f(), value, columns.inside), MEAN);
  }
  return best;
}

fn merge(a: vec4f, b: vec4f, c: vec4f) -> vec4f {
  return select(max(max(a, b), c), a + b + c, MEAN);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let at = i32(id.x + id.y * groups.x * WORKGROUP);
  if (at >= u.invocations) { return; }
  let tile = at / u.channels;
  let c = at - tile * u.channels;
  let row = tile / u.across;
  let j = (tile - row * u.across) * 4;
  let n = row / u.outHeight;
  let p = (row - n * u.outHeight) * STRIDE;
  let top = max(p - 1, 0);
  let rows = min(p + 1, u.height - 1) - top + 1;
  let start = (n * u.height + top) * u.width * u.channels;
  let left = j * STRIDE - 1;
  let a = poolOf(columnsAt(left, c), start, rows);
  let b = poolOf(columnsAt(left + 4, c), start, rows);
  var best: vec4f;
  if (STRIDE == 1) {
    best = merge(a, vec4f(a.yzw, b.x), vec4f(a.zw, b.xy));
  } else {
    let d = poolOf(columnsAt(left + 8, c), start, rows);
    best = merge(vec4f(a.xz, b.xz), vec4f(a.yw, b.yw), vec4f(a.z, b.xz, d.x));
  }
  if (MEAN) {
    let q = (j + vec4i(0, 1, 2, 3)) * STRIDE;
    let covered = min(q + 1, vec4i(u.width - 1)) - max(q - 1, vec4i()) + 1;
    best /= vec4f(covered * rows);
  }
  let to = (row * u.outWidth + j) * u.channels + c;
  y[to] = Stored(best.x);
  if (j + 1 < u.outWidth) { y[to + u.channels] = Stored(best.y); }
  if (j + 2 < u.outWidth) { y[to + 2 * u.channels] = Stored(best.z); }
  if (j + 3 < u.outWidth) { y[to + 3 * u.channels] = Stored(best.w); }
}
