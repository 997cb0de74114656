// For programs in which a subgroup makes one result at a time: its lanes share the parts, and add up
// what they have by subgroupAdd, in an order that is the device's own. naga 29 knows the functions of
// WGSL's extension "subgroups" and refuses the line that enables it.
struct Subgroup {
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(subgroup_id) id: u32,
  @builtin(num_subgroups) count: u32,
  @builtin(subgroup_invocation_id) lane: u32,
  @builtin(subgroup_size) lanes: u32,
}

// The first result of a subgroup, and from one to the next: its number, and how many subgroups there are.
fn firstResult(s: Subgroup) -> i32 {
  return i32((s.workgroup.x + s.workgroup.y * s.workgroups.x) * s.count + s.id);
}

fn resultStep(s: Subgroup) -> i32 {
  return i32(s.workgroups.x * s.workgroups.y * s.count);
}
