// How convolution.wgsl reads and writes four channels, where every count of channels divides by
// four.
alias Item = vec4f;

fn xAt(pixel: i32, c: i32) -> vec4f { return x[(pixel + c) / 4]; }

fn pairAt(row: i32, c: i32) -> vec4f { return pair[(row + c) / 4]; }

// Past the last channel of the result the last four stand in, to no effect.
fn wAt(tap: i32, c: i32, m: i32) -> vec4f {
  return w[((tap + c) * u.results + min(m, u.results - 4)) / 4];
}

fn put(pixel: i32, m: i32, value: vec4f) { y[(pixel + m) / 4] = Stored(value); }
