/**
 * How the tables of NVIDIA's functions are written: an entry names one function, and each parameter
 * stands beside its C declaration.
 *
 * A handle or an address on the device is "u64", a bigint, which costs 4 ns a call where a number costs
 * 100; memory of this process is "buffer"; an enum is "i32". `tests/backends/cudnn/ffi/headers_test.ts`
 * holds every entry, value and struct against NVIDIA's own headers.
 */

/** A function's entry. */
export interface FunctionEntry {
  readonly parameters: readonly Deno.NativeType[];
  readonly result: Deno.NativeResultType;
}

/** A struct as C lays it out, in bytes. */
export interface StructLayout {
  readonly size: number;
  /** Where each field begins. */
  readonly offsets: Readonly<Record<string, number>>;
}

/** The entry of a function that returns a status. */
export function status<const Parameters extends readonly Deno.NativeType[]>(
  ...parameters: Parameters
): { readonly parameters: Parameters; readonly result: "i32" } {
  return { parameters, result: "i32" };
}
