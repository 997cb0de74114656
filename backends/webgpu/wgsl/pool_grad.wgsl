// The gradient of a 3x3 pool with padding 1, gathered by pixel: an average hands on g over the pixels that
// its window covers, a maximum g to the first pixel of its window that has the largest value. With
// `add`, adds to dx.
struct Uniforms {
  images: i32, height: i32, width: i32, channels: i32,
  out_height: i32, out_width: i32, stride: i32, average: i32, add: i32
}
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> y: array<f32>;
@group(0) @binding(3) var<storage, read> g: array<f32>;
@group(0) @binding(4) var<storage, read_write> dx: array<f32>;

// Pixels that window i covers along a side.
fn covered(i: i32, size: i32) -> i32 {
  return min(i * u.stride + 2, size) - max(i * u.stride - 1, 0);
}

// Whether an earlier pixel of the window at (top, left) than (h, w) has the value too.
fn earlier(image: i32, top: i32, left: i32, h: i32, w: i32, c: i32, value: f32) -> bool {
  for (var i = max(top, 0); i <= h; i++) {
    for (var j = max(left, 0); j < min(left + 3, u.width); j++) {
      if (i == h && j >= w) { break; }
      if (x[((image * u.height + i) * u.width + j) * u.channels + c] == value) { return true; }
    }
  }
  return false;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let at = i32(id.x + id.y * groups.x * 64u);
  if (at >= u.images * u.height * u.width * u.channels) { return; }
  let c = at % u.channels;
  let w = at / u.channels % u.width;
  let h = at / u.channels / u.width % u.height;
  let image = at / u.channels / u.width / u.height;
  let value = x[at];
  var sum = 0.0;
  // Window i covers rows i stride - 1 to i stride + 1.
  let top = max((h + u.stride - 2) / u.stride, 0); let left = max((w + u.stride - 2) / u.stride, 0);
  for (var i = top; i <= min((h + 1) / u.stride, u.out_height - 1); i++) {
    for (var j = left; j <= min((w + 1) / u.stride, u.out_width - 1); j++) {
      sum += handed(image, i, j, h, w, c, value);
    }
  }
  if (u.add != 0) { sum += dx[at]; }
  dx[at] = sum;
}

// What the gradient of window (i, j) hands to pixel (h, w).
fn handed(image: i32, i: i32, j: i32, h: i32, w: i32, c: i32, value: f32) -> f32 {
  let q = ((image * u.out_height + i) * u.out_width + j) * u.channels + c;
  if (u.average != 0) { return g[q] / f32(covered(i, u.height) * covered(j, u.width)); }
  if (y[q] != value) { return 0.0; }
  if (earlier(image, i * u.stride - 1, j * u.stride - 1, h, w, c, value)) { return 0.0; }
  return g[q];
}
