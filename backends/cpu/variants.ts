/** What tells compiled kernels apart, and which of them an engine takes. */

/** Pages of 64 KB: all that 32 bits address. */
export const MAX_PAGES = 65536;

/** The bits of the kernels' results depend on `relaxed` alone. */
export interface Variant {
  /** Whether they use relaxed SIMD's fused multiply-add. */
  relaxed: boolean;
  /** Whether their tiles are for an engine that joins vectors: see `joinsVectors` of v8_flags.ts. */
  wide: boolean;
}

/** The compiled kernels. */
export interface CompiledKernels extends Variant {
  module: WebAssembly.Module;
}

/** True when the engine accepts a module that uses relaxed SIMD. */
export function hasRelaxedSimd(): boolean {
  // (func (result v128) (f32x4.relaxed_madd (three zero vectors)))
  const zero = [0xfd, 0x0c, ...new Array(16).fill(0)];
  const body = [0, ...zero, ...zero, ...zero, 0xfd, 0x85, 0x02, 0x0b];
  return WebAssembly.validate(Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...[1, 5, 1, 0x60, 0, 1, 0x7b],
    ...[3, 2, 1, 0],
    ...[10, body.length + 2, 1, body.length],
    ...body,
  ]));
}
