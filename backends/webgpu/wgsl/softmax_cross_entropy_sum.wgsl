// The mean loss of a batch, and how many labels rank first and within the first `top`.
struct Uniforms { samples: i32, top: i32 }
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> losses: array<f32>;
@group(0) @binding(2) var<storage, read> ranks: array<i32>;
@group(0) @binding(3) var<storage, read_write> loss: array<f32>;
@group(0) @binding(4) var<storage, read_write> counts: array<f32>;

@compute @workgroup_size(1)
fn main() {
  var total = 0.0;
  var first = 0;
  var within = 0;
  for (var n = 0; n < u.samples; n++) {
    total += losses[n];
    first += select(0, 1, ranks[n] == 0);
    within += select(0, 1, ranks[n] < u.top);
  }
  loss[0] = total / f32(u.samples);
  counts[0] = f32(first);
  counts[1] = f32(within);
}
