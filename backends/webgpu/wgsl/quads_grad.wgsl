// How convolution_filter_grad.wgsl reads four channels, where every count of channels divides by four. Past
// the last channel the last four stand in; their results are not stored.
alias Item = vec4f;

fn xAt(pixel: i32, c: i32) -> vec4f { return x[(pixel + min(c, u.channels - 4)) / 4]; }

fn pairAt(row: i32, c: i32) -> vec4f { return affine[(row + min(c, u.channels - 4)) / 4]; }

fn gAt(pixel: i32, m: i32) -> vec4f { return g[(pixel + min(m, u.outChannels - 4)) / 4]; }
