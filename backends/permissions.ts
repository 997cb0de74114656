/** What this process may do. A browser, where backends run too, grants none of Deno's permissions. */

/** Whether a permission of Deno's has been granted; asks nobody. */
export function granted(descriptor: Deno.PermissionDescriptor): boolean {
  return "Deno" in globalThis && Deno.permissions.querySync(descriptor).state === "granted";
}
