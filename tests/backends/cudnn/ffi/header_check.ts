/**
 * Holds tables of functions, values and structs against C headers: a C++ file of assertions that g++
 * judges without linking or running anything.
 *
 * An entry must have its function's number of parameters, and each the width, the kind and, by its
 * comment, the very type of the header's; two handles of different types cannot be swapped.
 */

import type { FunctionEntry, StructLayout } from "../../../../backends/cudnn/ffi/table.ts";

/** One library's tables. */
export interface HeaderTables {
  readonly header: string;
  readonly functions: Readonly<Record<string, FunctionEntry>>;
  readonly values?: Readonly<Record<string, number>>;
  readonly structs?: Readonly<Record<string, StructLayout>>;
  /** What the functions' parameters are in C, by the comments beside them. */
  readonly declarations: Readonly<Record<string, readonly string[]>>;
}

const PRELUDE = `
#include <cstddef>
#include <string_view>
#include <tuple>
#include <type_traits>
template <class T> constexpr bool passes(std::string_view type) {
  constexpr bool pointer = std::is_pointer_v<T>, integer = std::is_integral_v<T>;
  constexpr bool is_signed = std::is_signed_v<T>, enumeration = std::is_enum_v<T>;
  if (type == "void") return std::is_void_v<T>;
  if (type == "buffer" || type == "pointer") return pointer;
  if (type == "f32") return std::is_same_v<T, float>;
  if (type == "f64") return std::is_same_v<T, double>;
  if constexpr (std::is_void_v<T>) return false;
  else {
    if (type == "u8") return integer && !is_signed && sizeof(T) == 1;
    if (type == "i32") return sizeof(T) == 4 && (enumeration || (integer && is_signed));
    if (type == "u32") return sizeof(T) == 4 && integer && !is_signed;
    if (type == "i64") return sizeof(T) == 8 && integer && is_signed;
    if (type == "u64") return sizeof(T) == 8 && (pointer || (integer && !is_signed));
    if (type == "usize") return std::is_same_v<T, size_t>;
    return false;
  }
}
template <class F> struct Signature;
template <class R, class... A> struct Signature<R (*)(A...)> {
  using Result = R;
  static constexpr int count = sizeof...(A);
  template <int I> using Parameter = std::tuple_element_t<I, std::tuple<A...>>;
};
`;

/** The C++ file. */
export function headerAssertions(tables: HeaderTables): string {
  const { header, functions, values = {}, structs = {}, declarations } = tables;
  return [
    `#include <${header}>`,
    PRELUDE,
    ...Object.entries(functions).flatMap(([name, entry]) =>
      functionAssertions(name, entry, declarations[name] ?? [])
    ),
    ...Object.entries(values).map(([name, value]) =>
      assertion(`(long long)${name} == ${value}`, `${name} is not ${value}`)
    ),
    ...Object.entries(structs).flatMap(([name, { size, offsets }]) => [
      assertion(`sizeof(${name}) == ${size}`, `${name} has not ${size} bytes`),
      ...Object.entries(offsets).map(([field, offset]) =>
        assertion(
          `offsetof(${name}, ${field}) == ${offset}`,
          `${name}.${field} is not at ${offset}`,
        )
      ),
    ]),
    "",
  ].join("\n");
}

function functionAssertions(
  name: string,
  { parameters, result }: FunctionEntry,
  declarations: readonly string[],
): string[] {
  const signature = `Signature<decltype(&${name})>`, count = parameters.length;
  return [
    assertion(`${signature}::count == ${count}`, `${name} has not ${count} parameters`),
    assertion(`passes<${signature}::Result>("${result}")`, `${name} does not return ${result}`),
    assertion(`${declarations.length} == ${count}`, `${name} lacks comments`),
    ...parameters.flatMap((type, index) => {
      const parameter = `${signature}::Parameter<${index}>`, what = `${name}'s parameter ${index}`;
      const declared = declarations[index] ?? "void";
      return [
        assertion(`passes<${parameter}>("${type}")`, `${what} is not ${type}`),
        assertion(
          `std::is_same_v<${parameter}, std::decay_t<${declared}>>`,
          `${what} is not ${declared}`,
        ),
      ];
    }),
  ];
}

function assertion(condition: string, otherwise: string): string {
  return `static_assert(${condition}, "${otherwise}");`;
}

/**
 * The C types of parameters in a table's source, by the comments beside them: `"u64", // CUstream s`.
 *
 * @param source TypeScript, as `deno fmt` lays it out.
 */
export function declarationsIn(source: string): Record<string, string[]> {
  const declarations: Record<string, string[]> = {};
  let current: string[] = [];
  for (const line of source.split("\n")) {
    const entry = line.match(/^ {2}(\w+): (?:status\(|\{)/)?.[1];
    const parameter = line.match(/^ +"\w+", \/\/ (.+?)\w+(?:\[\w*\])?$/)?.[1];
    if (entry) declarations[entry] = current = [];
    else if (parameter) current.push(parameter.trim());
  }
  return declarations;
}

/** What g++ has against the file: each assertion that fails, or another error; nothing when all hold. */
export async function compilerErrors(source: string, includes: readonly string[]) {
  const flags = ["-std=c++17", "-fsyntax-only", "-w", "-fmax-errors=0", "-x", "c++"];
  // cuda.h then declares every function by its own name, without aliases.
  const options = [
    ...flags,
    "-D__CUDA_API_VERSION_INTERNAL",
    ...includes.map((path) => `-I${path}`),
  ];
  const compiler = new Deno.Command("g++", {
    args: [...options, "-"],
    stdin: "piped",
    stderr: "piped",
  }).spawn();
  const writer = compiler.stdin.getWriter();
  await writer.write(new TextEncoder().encode(source));
  await writer.close();
  const { stderr } = await compiler.output();
  return [
    ...new TextDecoder().decode(stderr).matchAll(/error: (?:static assertion failed: )?(.*)/g),
  ]
    .map(([, message]) => message);
}
