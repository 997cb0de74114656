// The gradient of the weights, one per invocation: over the terms k that have it, dw = sum over
// channels of scale_k X_k + shift_k S_k, where X_k = sum D x_k and S_k = sum D.
struct Uniforms { weights: i32, channels: i32, terms: i32, plain: i32, sumRow: i32 }
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> table: array<f32>;
@group(0) @binding(2) var<storage, read> sums: array<f32>;
@group(0) @binding(3) var<storage, read_write> dWeights: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let at = i32(id.x + id.y * groups.x * WORKGROUP);
  if (at >= u.weights) { return; }
  var sum = 0.0;
  for (var k = 0; k < u.terms; k++) {
    let row = k * (2 * u.channels + 2);
    if (i32(table[row + 1]) != at) { continue; }
    var ofX = k * u.channels;
    var ofShift = u.sumRow * u.channels;
    if (k >= u.plain) {
      ofX = (u.sumRow + 1 + 2 * (k - u.plain)) * u.channels;
      ofShift = ofX + u.channels;
    }
    for (var c = 0; c < u.channels; c++) {
      sum += table[row + 2 + c] * sums[ofX + c] +
        table[row + 2 + u.channels + c] * sums[ofShift + c];
    }
  }
  dWeights[at] = sum;
}
