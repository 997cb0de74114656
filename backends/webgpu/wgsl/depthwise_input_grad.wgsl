// The gradient of a depthwise convolution of stride 2 by its input: one pixel an invocation, over those
// taps that met it. With `add`, adds to dx. Stride 1 is depthwise_strip.wgsl.
struct Uniforms {
  images: i32, height: i32, width: i32, channels: i32,
  out_height: i32, out_width: i32, kernel: i32, dilation: i32, add: i32
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

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let at = i32(id.x + id.y * groups.x * 64u);
  if (at >= u.images * u.height * u.width * u.channels) { return; }
  let c = at % u.channels;
  let column = at / u.channels % u.width;
  let row = at / u.channels / u.width;
  let image = row / u.height;
  let pad = u.dilation * (u.kernel - 1) / 2;
  let down = row % u.height + pad; let across = column + pad;
  let rows = taps(down); let columns = taps(across);
  var sum = 0.0;
  for (var r = rows.x; r < rows.z; r += rows.y) {
    let i = (down - r * u.dilation) / 2;
    let line = (image * u.out_height + clamp(i, 0, u.out_height - 1)) * u.out_width;
    let meets = down >= r * u.dilation && i < u.out_height;
    for (var s = columns.x; s < columns.z; s += columns.y) {
      let j = (across - s * u.dilation) / 2;
      let inside = meets && across >= s * u.dilation && j < u.out_width;
      let d = g[(line + clamp(j, 0, u.out_width - 1)) * u.channels + c];
      sum = fma(select(0.0, d, inside), w[(r * u.kernel + s) * u.channels + c], sum);
    }
  }
  if (u.add != 0) { sum += dx[at]; }
  dx[at] = sum;
}
