// The gradient of a 3x3 max pool with padding 1, gathered by pixel: the g of every window that chose it
// (max_pool_choice.wgsl). With `add`, adds to dx.
struct Uniforms {
  images: i32, height: i32, width: i32, channels: i32,
  outHeight: i32, outWidth: i32, stride: i32, add: i32
}
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> choice: array<i32>;
@group(0) @binding(2) var<storage, read> g: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;

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
      let q = ((first + i) * u.outWidth + j) * u.channels + c;
      let own = (h - i * u.stride + 1) * 3 + w - j * u.stride + 1;
      sum += select(0.0, g[q], choice[q] == own);
    }
  }
  if (u.add != 0) { sum += dx[at]; }
  dx[at] = sum;
}
