// What multiplies a special term: its dropout mask and its factors per sample, for the four
// elements of a block of the mask. An invocation takes whole blocks, for one draw of random words
// serves all four. How many terms there are and whether one has factors per sample are constants,
// as software devices run what a condition skips. Elements are counted from the first that is bound,
// which `before` values of the tensor precede, a multiple of 16.

// The elements of the block that an invocation begins with.
fn firstBlock(at: i32) -> vec4i { return vec4i(16 * (at / 4) + at % 4) + vec4i(0, 4, 8, 12); }

// The images of a block's elements, where a term has factors per sample.
fn imagesOf(e: vec4i) -> vec4i {
  if (!SAMPLED) { return vec4i(0); }
  return (u.before + e) / vec4i(u.elements);
}

fn factors(
  samples: i32, threshold: u32, keepScale: f32, key: vec2u, counter: u32,
  e: vec4i, images: vec4i,
) -> vec4f {
  var factor = vec4f(1.0);
  if (threshold > 0u) {
    let block = u32(u.before / 4 + e.x / 16 * 4 + e.x % 4);
    factor = maskFactors(key, counter, block, threshold, keepScale);
  }
  if (!SAMPLED || samples < 0) { return factor; }
  let at = vec4i(samples) + images;
  return factor * vec4f(table[at.x], table[at.y], table[at.z], table[at.w]);
}
