// A Value is four channels, for a number of channels that four divides.
const LANES = 4;
fn coefficients(at: i32) -> Value {
  return vec4f(table[at], table[at + 1], table[at + 2], table[at + 3]);
}
