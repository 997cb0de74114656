// Which pixel of each window of a 3x3 max pool with padding 1 is the first with the largest value, 0 to 8.
struct Uniforms {
  images: i32, height: i32, width: i32, channels: i32, outHeight: i32, outWidth: i32, stride: i32
}
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> choice: array<i32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let at = i32(id.x + id.y * groups.x * WORKGROUP);
  if (at >= u.images * u.outHeight * u.outWidth * u.channels) { return; }
  let c = at % u.channels;
  let left = at / u.channels % u.outWidth * u.stride - 1;
  let top = at / u.channels / u.outWidth % u.outHeight * u.stride - 1;
  let first = at / u.channels / u.outWidth / u.outHeight * u.height;
  var largest = 0.0;
  var chosen = -1;
  for (var k = 0; k < 9; k++) {
    let h = top + k / 3; let w = left + k % 3;
    let line = (first + clamp(h, 0, u.height - 1)) * u.width;
    let value = x[(line + clamp(w, 0, u.width - 1)) * u.channels + c];
    let inside = h >= 0 && h < u.height && w >= 0 && w < u.width;
    let better = inside && (chosen < 0 || value > largest);
    largest = select(largest, value, better);
    chosen = select(chosen, k, better);
  }
  choice[at] = chosen;
}
