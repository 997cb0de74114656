// The gradient of the mean over an image, [N, C] to [N, P, C]: one result an invocation. Of dx,
// images from `first` on are bound.
struct Uniforms { first: i32, images: i32, pixels: i32, channels: i32 }
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let at = i32(id.x + id.y * groups.x * WORKGROUP);
  if (at >= u.images * u.pixels * u.channels) { return; }
  let image = u.first + at / (u.pixels * u.channels);
  dx[at] = dy[image * u.channels + at % u.channels] / f32(u.pixels);
}
