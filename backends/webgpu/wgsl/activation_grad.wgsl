// The gradient by x from that of the activated x, in place: masked where the activation is 0, and scaled
// by channel under an affine one. One item an invocation, a value or four
// channels.
// Elements and channels in items.
struct Uniforms { elements: i32, channels: i32, affine: i32 }
alias Item = f32;
// Of x.
alias Stored = Item;
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> x: array<Stored>;
@group(0) @binding(2) var<storage, read_write> dx: array<Item>;
// Any buffer without an affine activation.
@group(0) @binding(3) var<storage, read> affine: array<Item>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let at = i32(id.x + id.y * groups.x * WORKGROUP);
  if (at >= u.elements) { return; }
  var scale = Item(1.0); var shift = Item();
  if (u.affine != 0) { let c = at % u.channels; scale = affine[c]; shift = affine[u.channels + c]; }
  dx[at] = select(Item(), scale * dx[at], fma(Item(x[at]), scale, shift) > Item());
}
