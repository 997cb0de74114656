// The mean of each channel over an image, [N, P, C] to [N, C]: one result an invocation. Of x, images
// from `first` on are bound.
struct Uniforms { first: i32, images: i32, pixels: i32, channels: i32 }
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let at = i32(id.x + id.y * groups.x * WORKGROUP);
  if (at >= u.images * u.channels) { return; }
  let first = at / u.channels * u.pixels * u.channels + at % u.channels;
  var sum = 0.0;
  for (var p = 0; p < u.pixels; p++) { sum += x[first + p * u.channels]; }
  y[u.first * u.channels + at] = sum / f32(u.pixels);
}
