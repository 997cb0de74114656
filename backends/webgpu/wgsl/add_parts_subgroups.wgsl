// add_parts.wgsl, one sum a subgroup.
struct Uniforms { length: i32, parts: i32, add: i32 }
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> parts: array<f32>;
@group(0) @binding(2) var<storage, read_write> sums: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(s: Subgroup) {
  for (var at = firstResult(s); at < u.length; at += resultStep(s)) {
    var own = 0.0;
    for (var part = i32(s.lane); part < u.parts; part += i32(s.lanes)) {
      own += parts[part * u.length + at];
    }
    let sum = subgroupAdd(own);
    if (s.lane != 0) { continue; }
    if (u.add != 0) { sums[at] += sum; } else { sums[at] = sum; }
  }
}
