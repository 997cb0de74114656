// How convolution.wgsl reads and writes four channels where a count of channels does not divide by
// four. Past the last channel of x the last one stands in, times a weight of zero; past the last
// channel of the result nothing is written.
alias Item = f32;

const STEPS = vec4i(0, 1, 2, 3);

fn xAt(pixel: i32, c: i32) -> vec4f {
  let at = pixel + min(c + STEPS, vec4i(u.channels - 1));
  return vec4f(x[at.x], x[at.y], x[at.z], x[at.w]);
}

fn pairAt(row: i32, c: i32) -> vec4f {
  let at = row + min(c + STEPS, vec4i(u.channels - 1));
  return vec4f(pair[at.x], pair[at.y], pair[at.z], pair[at.w]);
}

fn wAt(tap: i32, c: i32, m: i32) -> vec4f {
  let row = (tap + min(c, u.channels - 1)) * u.results;
  let at = row + min(m + STEPS, vec4i(u.results - 1));
  return select(vec4f(), vec4f(w[at.x], w[at.y], w[at.z], w[at.w]), c < u.channels);
}

fn put(pixel: i32, m: i32, value: vec4f) {
  let at = pixel + m;
  y[at] = Stored(value.x);
  if (m + 1 < u.results) { y[at + 1] = Stored(value.y); }
  if (m + 2 < u.results) { y[at + 2] = Stored(value.z); }
  if (m + 3 < u.results) { y[at + 3] = Stored(value.w); }
}
