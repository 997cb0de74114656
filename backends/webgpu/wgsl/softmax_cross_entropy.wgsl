// Loss, rank of the label and gradient by logits of each sample: one sample an invocation. Logits
// are taken less their largest, which leaves the loss as it is since the targets add up to 1.
struct Uniforms { samples: i32, classes: i32, own: f32, spread: f32 }
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> labels: array<i32>;
@group(0) @binding(3) var<storage, read_write> gradient: array<f32>;
@group(0) @binding(4) var<storage, read_write> losses: array<f32>;
@group(0) @binding(5) var<storage, read_write> ranks: array<i32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let n = i32(id.x + id.y * groups.x * WORKGROUP);
  if (n >= u.samples) { return; }
  let first = n * u.classes;
  let label = labels[n];
  let own = logits[first + label];
  var largest = logits[first];
  for (var c = 1; c < u.classes; c++) { largest = max(largest, logits[first + c]); }
  var sum = 0.0;
  var linear = 0.0;
  var before = 0;
  for (var c = 0; c < u.classes; c++) {
    let value = logits[first + c];
    let exponential = exp(value - largest);
    gradient[first + c] = exponential;
    sum += exponential;
    linear += value - largest;
    before += select(0, 1, value > own || (value == own && c < label));
  }
  for (var c = 0; c < u.classes; c++) {
    let wanted = u.spread + select(0.0, u.own, c == label);
    gradient[first + c] = (gradient[first + c] / sum - wanted) / f32(u.samples);
  }
  losses[n] = log(sum) - u.own * (own - largest) - u.spread * linear;
  ranks[n] = before;
}
