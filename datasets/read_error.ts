/** Why something could not be read, in words for the user. */

/** The reason of a failed read: a missing permission of this run is told from the system's. */
export function reasonOf(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "there is no such file or folder";
  if (error instanceof Deno.errors.NotCapable) {
    return "this run may not read there; add --allow-read for it, or keep the data below this folder";
  }
  if (error instanceof Deno.errors.PermissionDenied) return "the system denies access";
  return error instanceof Error ? error.message : String(error);
}
