// Dropout masks: Threefry-2x32 with 13 rounds, as `maskWord` of backends/random.ts. A block of
// random words serves four elements of a group of 16: its lane (e mod 4) of each of the group's
// four vectors.

fn turn(value: u32, bits: u32) -> u32 { return (value << bits) | (value >> (32u - bits)); }

// `keepScale` for the kept elements of a block, 0 for the dropped ones.
fn maskFactors(key: vec2u, counter: u32, block: u32, threshold: u32, keepScale: f32) -> vec4f {
  let key2 = 0x1bd11bdau ^ key.x ^ key.y;
  var x = block + key.x;
  var y = counter + key.y;
  x += y; y = turn(y, 13u) ^ x;
  x += y; y = turn(y, 15u) ^ x;
  x += y; y = turn(y, 26u) ^ x;
  x += y; y = turn(y, 6u) ^ x;
  x += key.y; y += key2 + 1u;
  x += y; y = turn(y, 17u) ^ x;
  x += y; y = turn(y, 29u) ^ x;
  x += y; y = turn(y, 16u) ^ x;
  x += y; y = turn(y, 24u) ^ x;
  x += key2; y += key.x + 2u;
  x += y; y = turn(y, 13u) ^ x;
  x += y; y = turn(y, 15u) ^ x;
  x += y; y = turn(y, 26u) ^ x;
  x += y; y = turn(y, 6u) ^ x;
  x += key.x; y += key.y + 3u;
  x += y; y = turn(y, 17u) ^ x;
  let words = vec4u(x & 0xffffu, x >> 16u, y & 0xffffu, y >> 16u);
  return select(vec4f(0.0), vec4f(keepScale), words >= vec4u(threshold));
}
