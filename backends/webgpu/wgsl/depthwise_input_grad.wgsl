// The gradient of a depthwise convolution of stride 2 by its input: four pixels of a row, two apart, an
// invocation, over those taps that met them. With `add`, adds to dx. Stride 1 is depthwise.wgsl.
struct Uniforms {
  images: i32, height: i32, width: i32, channels: i32,
  outHeight: i32, outWidth: i32, kernel: i32, dilation: i32, add: i32
}
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> g: array<f32>;
@group(0) @binding(2) var<storage, read> w: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;

// Taps r of a line with (place - r dilation) even: from the first, by the step, below the end.
fn taps(place: i32) -> vec3i {
  if (u.dilation == 1) { return vec3i(place % 2, 2, u.kernel); }
  return vec3i(0, 1, select(u.kernel, 0, place % 2 != 0));
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let at = i32(id.x + id.y * groups.x * WORKGROUP);
  // Tiles of even, then of odd columns.
  let tiles = (u.width + 7) / 8 * 2;
  let c = at % u.channels;
  let tile = at / u.channels % tiles;
  let row = at / u.channels / tiles;
  let image = row / u.height;
  if (image >= u.images) { return; }
  let first = tile / 2 * 8 + tile % 2;
  let pad = u.dilation * (u.kernel - 1) / 2;
  let down = row % u.height + pad; let across = first + pad;
  let rows = taps(down); let columns = taps(across);
  var sum = vec4f();
  for (var r = rows.x; r < rows.z; r += rows.y) {
    let i = (down - r * u.dilation) / 2;
    let line = (image * u.outHeight + clamp(i, 0, u.outHeight - 1)) * u.outWidth;
    let meets = down >= r * u.dilation && i < u.outHeight;
    for (var s = columns.x; s < columns.z; s += columns.y) {
      // Even, so that the shift keeps the sign.
      let j = ((across - s * u.dilation) >> 1u) + vec4i(0, 1, 2, 3);
      let inside = (j >= vec4i()) & (j < vec4i(u.outWidth)) & vec4<bool>(meets);
      let q = (line + clamp(j, vec4i(), vec4i(u.outWidth - 1))) * u.channels + c;
      let d = select(vec4f(), vec4f(g[q.x], g[q.y], g[q.z], g[q.w]), inside);
      sum = fma(d, vec4f(w[(r * u.kernel + s) * u.channels + c]), sum);
    }
  }
  let to = row * u.width * u.channels + c;
  store(to, first, sum.x);
  store(to, first + 2, sum.y);
  store(to, first + 4, sum.z);
  store(to, first + 6, sum.w);
}

fn store(row: i32, column: i32, value: f32) {
  if (column >= u.width) { return; }
  let at = row + column * u.channels;
  if (u.add != 0) { dx[at] += value; } else { dx[at] = value; }
}
