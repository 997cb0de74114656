// The gradients of scale and shift of max(scale x + shift, 0) from that of the activated x, as partial
// sums over parts of the pixels: one channel of one part an invocation. `partial` is
// [parts, 2, channels].
struct Uniforms { pixels: i32, channels: i32, parts: i32 }
// Of x.
alias Stored = f32;
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> x: array<Stored>;
@group(0) @binding(2) var<storage, read> affine: array<f32>;
@group(0) @binding(3) var<storage, read> d: array<f32>;
@group(0) @binding(4) var<storage, read_write> partial: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let at = i32(id.x + id.y * groups.x * WORKGROUP);
  if (at >= u.channels * u.parts) { return; }
  let c = at % u.channels; let part = at / u.channels;
  let scale = affine[c]; let shift = affine[u.channels + c];
  let share = (u.pixels + u.parts - 1) / u.parts;
  let end = min((part + 1) * share, u.pixels);
  var ofScale = 0.0; var ofShift = 0.0;
  for (var p = part * share; p < end; p++) {
    let v = f32(x[p * u.channels + c]);
    if (fma(v, scale, shift) > 0.0) {
      let g = d[p * u.channels + c];
      ofScale = fma(g, v, ofScale);
      ofShift += g;
    }
  }
  partial[part * 2 * u.channels + c] = ofScale;
  partial[(part * 2 + 1) * u.channels + c] = ofShift;
}
