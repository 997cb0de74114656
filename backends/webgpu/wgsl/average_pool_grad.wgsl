// The gradient of a 3x3 average pool with padding 1, gathered by pixel: g over the pixels that a window
// covers. With `add`, adds to dx.
struct Uniforms {
  images: i32, height: i32, width: i32, channels: i32,
  outHeight: i32, outWidth: i32, stride: i32, add: i32
}
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> g: array<f32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;

// Pixels that window i covers along a side.
fn covered(i: i32, size: i32) -> i32 {
  return min(i * u.stride + 2, size) - max(i * u.stride - 1, 0);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let at = i32(id.x + id.y * groups.x * WORKGROUP);
  if (at >= u.images * u.height * u.width * u.channels) { return; }
  let c = at % u.channels;
  let w = at / u.channels % u.width;
  let h = at / u.channels / u.width % u.height;
  let first = at / u.channels / u.width / u.height * u.outHeight;
  // Window i covers rows i stride - 1 to i stride + 1.
  let top = max((h + u.stride - 2) / u.stride, 0); let left = max((w + u.stride - 2) / u.stride, 0);
  var sum = 0.0;
  for (var i = top; i <= min((h + 1) / u.stride, u.outHeight - 1); i++) {
    for (var j = left; j <= min((w + 1) / u.stride, u.outWidth - 1); j++) {
      let count = f32(covered(i, u.height) * covered(j, u.width));
      sum += g[((first + i) * u.outWidth + j) * u.channels + c] / count;
    }
  }
  if (u.add != 0) { sum += dx[at]; }
  dx[at] = sum;
}
