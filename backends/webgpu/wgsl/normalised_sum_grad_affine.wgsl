// The gradients of up to six affine pairs, dscale_k = w_k sum D x_k and dshift_k = w_k sum D, from
// the table's row and the rows of the two sums.
struct Uniforms {
  channels: i32, terms: i32,
  row0: i32, row1: i32, row2: i32, row3: i32, row4: i32, row5: i32,
  ofX0: i32, ofX1: i32, ofX2: i32, ofX3: i32, ofX4: i32, ofX5: i32,
  ofShift0: i32, ofShift1: i32, ofShift2: i32, ofShift3: i32, ofShift4: i32, ofShift5: i32,
}
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> table: array<f32>;
@group(0) @binding(2) var<storage, read> sums: array<f32>;
@group(0) @binding(3) var<storage, read_write> dAffine0: array<f32>;
@group(0) @binding(4) var<storage, read_write> dAffine1: array<f32>;
@group(0) @binding(5) var<storage, read_write> dAffine2: array<f32>;
@group(0) @binding(6) var<storage, read_write> dAffine3: array<f32>;
@group(0) @binding(7) var<storage, read_write> dAffine4: array<f32>;
@group(0) @binding(8) var<storage, read_write> dAffine5: array<f32>;

fn gradient(row: i32, ofX: i32, ofShift: i32, j: i32) -> f32 {
  let place = select(ofShift * u.channels + j - u.channels, ofX * u.channels + j, j < u.channels);
  return table[row * (2 * u.channels + 2)] * sums[place];
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let at = i32(id.x + id.y * groups.x * WORKGROUP);
  if (at >= u.terms * 2 * u.channels) { return; }
  let j = at % (2 * u.channels);
  switch at / (2 * u.channels) {
    case 0: { dAffine0[j] = gradient(u.row0, u.ofX0, u.ofShift0, j); }
    case 1: { dAffine1[j] = gradient(u.row1, u.ofX1, u.ofShift1, j); }
    case 2: { dAffine2[j] = gradient(u.row2, u.ofX2, u.ofShift2, j); }
    case 3: { dAffine3[j] = gradient(u.row3, u.ofX3, u.ofShift3, j); }
    case 4: { dAffine4[j] = gradient(u.row4, u.ofX4, u.ofShift4, j); }
    case 5: { dAffine5[j] = gradient(u.row5, u.ofX5, u.ofShift5, j); }
    default: {}
  }
}
