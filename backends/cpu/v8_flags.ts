/**
 * The flags of V8 by which the CPU kernels compute in 256-bit registers. The tasks of deno.json start
 * Deno with what this prints, its arguments added: `DENO_V8_FLAGS=$(deno run backends/cpu/v8_flags.ts)`.
 * Deno ends at once on a flag that its V8 has not, so that these go to engines they were tested with.
 */

import { granted } from "../permissions.ts";

/** Makes V8 run two neighbouring 128-bit operations as one of 256 bits; x86-64 alone has it. */
const JOINING = "--experimental-wasm-revectorize";
/**
 * Without this V8 joins nothing: the checks stand between the loads. The kernels' memory spans all
 * that 32 bits address, so that the checks could only find an access across its very end.
 */
const UNCHECKED = "--no-wasm-bounds-checks";
/** Changes nothing: V8's default, since the variable must not be empty. */
const CHECKED = "--wasm-bounds-checks";
/** Major versions of V8 on which the tests have passed with these flags. */
const TESTED_VERSIONS = ["15"];

/** Flags for an engine, those of this process by default. */
export function v8Flags(
  { arch, v8 }: { arch: string; v8: string } = { arch: Deno.build.arch, v8: Deno.version.v8 },
): string[] {
  const joins = arch === "x86_64" && TESTED_VERSIONS.includes(v8.split(".")[0]);
  return joins ? [UNCHECKED, JOINING] : [CHECKED];
}

/**
 * True when Deno was started with `DENO_V8_FLAGS` that make its engine join pairs of vectors, and this
 * program may read them.
 */
export function joinsVectors(): boolean {
  const variable = "DENO_V8_FLAGS";
  if (!granted({ name: "env", variable })) return false;
  const flags = Deno.env.get(variable)?.split(",") ?? [];
  return flags.includes(JOINING) && flags.includes(UNCHECKED);
}

if (import.meta.main) console.log([...v8Flags(), ...Deno.args].join(","));
