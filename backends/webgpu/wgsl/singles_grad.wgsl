// How convolution_filter_grad.wgsl reads four channels where a count of channels does not divide by four. Past
// the last channel the last one stands in; its results are not stored.
alias Item = f32;

const STEPS = vec4i(0, 1, 2, 3);

fn xAt(pixel: i32, c: i32) -> vec4f {
  let at = pixel + min(c + STEPS, vec4i(u.channels - 1));
  return vec4f(x[at.x], x[at.y], x[at.z], x[at.w]);
}

fn pairAt(row: i32, c: i32) -> vec4f {
  let at = row + min(c + STEPS, vec4i(u.channels - 1));
  return vec4f(affine[at.x], affine[at.y], affine[at.z], affine[at.w]);
}

fn gAt(pixel: i32, m: i32) -> vec4f {
  let at = pixel + min(m + STEPS, vec4i(u.outChannels - 1));
  return vec4f(g[at.x], g[at.y], g[at.z], g[at.w]);
}
