/** Folders for tests that write: below `.cache/tests`, where the named permission set allows it. */

import { permitted } from "./permitted.ts";

/** What {@linkcode withScratch} needs; pass it to `ignore`. */
export function scratchPermitted(): boolean {
  return permitted({ read: ["."], write: [".cache"] });
}

/** Calls the body with the path of an empty folder, and removes the folder after it. */
export async function withScratch<T>(body: (folder: string) => Promise<T>): Promise<T> {
  const folder = `.cache/tests/${crypto.randomUUID()}`;
  await Deno.mkdir(folder, { recursive: true });
  try {
    return await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
