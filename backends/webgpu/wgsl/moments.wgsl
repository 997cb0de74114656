// Mean and sum of squared differences of each channel in each part of the pixels, [P, C] to
// [parts, 2, C], about the part's first value, so that a large mean costs no digits: one item of
// channels an invocation. Every fourth pixel is summed apart, for speed and for rounding's sake.
alias Item = f32;
// Of y.
alias Stored = Item;
// Channels in items.
struct Uniforms {
  pixels: i32, channels: i32, length: i32,
  // The part that begins with the first pixel bound.
  firstPart: i32,
  invocations: i32,
}
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> y: array<Stored>;
@group(0) @binding(2) var<storage, read_write> partials: array<Item>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let at = i32(id.x + id.y * groups.x * WORKGROUP);
  if (at >= u.invocations) { return; }
  let part = at / u.channels;
  let c = at - part * u.channels;
  let first = part * u.length;
  let last = min(first + u.length, u.pixels) - 1;
  let pivot = Item(y[first * u.channels + c]);
  var sum0 = Item();
  var sum1 = Item();
  var sum2 = Item();
  var sum3 = Item();
  var squares0 = Item();
  var squares1 = Item();
  var squares2 = Item();
  var squares3 = Item();
  for (var pixel = first; pixel <= last; pixel += 4) {
    let four = pixel + vec4i(0, 1, 2, 3);
    let inside = four <= vec4i(last);
    let place = min(four, vec4i(last)) * u.channels + c;
    let d0 = Item(y[place.x]) - pivot;
    let d1 = select(Item(), Item(y[place.y]) - pivot, inside.y);
    let d2 = select(Item(), Item(y[place.z]) - pivot, inside.z);
    let d3 = select(Item(), Item(y[place.w]) - pivot, inside.w);
    sum0 += d0;
    sum1 += d1;
    sum2 += d2;
    sum3 += d3;
    squares0 += d0 * d0;
    squares1 += d1 * d1;
    squares2 += d2 * d2;
    squares3 += d3 * d3;
  }
  let sum = (sum0 + sum1) + (sum2 + sum3);
  let squares = (squares0 + squares1) + (squares2 + squares3);
  let mean = sum / f32(last - first + 1);
  let to = 2 * (u.firstPart + part) * u.channels + c;
  partials[to] = pivot + mean;
  partials[to + u.channels] = max(Item(), squares - sum * mean);
}
