// A Value is one float, for any number of channels; opposite of normalised_sum_vector.wgsl.
const LANES = 1;
fn coefficients(at: i32) -> Value { return table[at]; }
