/** What sharp, which decodes images, needs: apart from `decode.ts`, so that to know it loads nothing. */

/**
 * What Deno must grant beside the image's folder: which libc this is, two variables of sharp's own, and
 * native code.
 */
export const SHARP_PERMISSIONS = {
  read: ["/usr/bin/ldd"],
  env: ["MALLOC_ARENA_MAX", "npm_package_config_libvips"],
  ffi: true,
} as const;
