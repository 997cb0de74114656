/**
 * Tells whether a test may run: plain `deno test` grants nothing, `deno task test` a named set.
 *
 * A test passes `ignore: !permitted({ read: ["."] })`; each missing permission is printed once a file.
 */

/** The permissions a test needs; a list names the paths or variables. */
export interface NeededPermissions {
  read?: readonly string[];
  write?: readonly string[];
  env?: readonly string[];
  run?: readonly string[];
  net?: readonly string[];
  ffi?: boolean;
}

const reported = new Set<string>();

function descriptors(needed: NeededPermissions): Deno.PermissionDescriptor[] {
  return [
    ...(needed.read ?? []).map((path) => ({ name: "read", path }) as const),
    ...(needed.write ?? []).map((path) => ({ name: "write", path }) as const),
    ...(needed.env ?? []).map((variable) => ({ name: "env", variable }) as const),
    ...(needed.run ?? []).map((command) => ({ name: "run", command }) as const),
    ...(needed.net ?? []).map((host) => ({ name: "net", host }) as const),
    ...(needed.ffi ? [{ name: "ffi" } as const] : []),
  ];
}

/** Whether all these permissions are granted; prints, once each, the ones that are not. */
export function permitted(needed: NeededPermissions): boolean {
  const missing = descriptors(needed)
    .filter((descriptor) => Deno.permissions.querySync(descriptor).state !== "granted")
    .map(({ name, ...rest }) => [`--allow-${name}`, ...Object.values(rest)].join("="));
  for (const flag of missing) {
    if (!reported.has(flag)) {
      console.log(`skipping tests that need ${flag}; use \`deno task test\``);
    }
    reported.add(flag);
  }
  return missing.length === 0;
}
