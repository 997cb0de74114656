// The gradient before a batch norm, g = dy + b y + c by channel: one item an
// invocation, a value or four channels.
// In items.
struct Uniforms { elements: i32, channels: i32 }
alias Item = f32;
// Of y.
alias Stored = Item;
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> dy: array<Item>;
@group(0) @binding(2) var<storage, read> y: array<Stored>;
@group(0) @binding(3) var<storage, read_write> g: array<Item>;
@group(0) @binding(4) var<storage, read> coefficients: array<Item>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let at = i32(id.x + id.y * groups.x * WORKGROUP);
  if (at >= u.elements) { return; }
  let c = at % u.channels;
  g[at] = fma(coefficients[c], Item(y[at]), dy[at] + coefficients[u.channels + c]);
}
