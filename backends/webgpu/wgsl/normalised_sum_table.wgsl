// The terms' coefficients as one table, so that the other programs need one binding for all of
// them. A term's row is its weight, the position of the weight, then scale and shift per channel;
// the factors per sample of some terms follow the rows. Up to six sources a call, each a row or
// factors.
struct Uniforms {
  channels: i32, images: i32, width: i32,
  kind0: i32, kind1: i32, kind2: i32, kind3: i32, kind4: i32, kind5: i32,
  offset0: i32, offset1: i32, offset2: i32, offset3: i32, offset4: i32, offset5: i32,
  weight0: i32, weight1: i32, weight2: i32, weight3: i32, weight4: i32, weight5: i32,
}
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> weights: array<f32>;
@group(0) @binding(2) var<storage, read> source0: array<f32>;
@group(0) @binding(3) var<storage, read> source1: array<f32>;
@group(0) @binding(4) var<storage, read> source2: array<f32>;
@group(0) @binding(5) var<storage, read> source3: array<f32>;
@group(0) @binding(6) var<storage, read> source4: array<f32>;
@group(0) @binding(7) var<storage, read> source5: array<f32>;
@group(0) @binding(8) var<storage, read_write> table: array<f32>;

const NONE = 0;
const PLAIN = 1; // a term without affine: its source is not read
const AFFINE = 2;
const SAMPLES = 3;

fn put(kind: i32, offset: i32, weight: i32, j: i32, value: f32) {
  if (kind == SAMPLES && j < u.images) { table[offset + j] = value; }
  if ((kind != PLAIN && kind != AFFINE) || j >= 2 * u.channels) { return; }
  table[offset + 2 + j] = select(select(0.0, 1.0, j < u.channels), value, kind == AFFINE);
  if (j > 0) { return; }
  var factor = 1.0;
  if (weight >= 0) { factor = weights[weight]; }
  table[offset] = factor;
  table[offset + 1] = f32(weight);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let at = i32(id.x + id.y * groups.x * WORKGROUP);
  let j = at % u.width;
  switch at / u.width {
    case 0: { put(u.kind0, u.offset0, u.weight0, j, source0[j]); }
    case 1: { put(u.kind1, u.offset1, u.weight1, j, source1[j]); }
    case 2: { put(u.kind2, u.offset2, u.weight2, j, source2[j]); }
    case 3: { put(u.kind3, u.offset3, u.weight3, j, source3[j]); }
    case 4: { put(u.kind4, u.offset4, u.weight4, j, source4[j]); }
    case 5: { put(u.kind5, u.offset5, u.weight5, j, source5[j]); }
    default: {}
  }
}
