/**
 * Compute programs: WGSL text and how it is called.
 *
 * Every program has one entry point `main`, a uniform `u: Uniforms` at binding 0 of group 0 whose fields
 * are all i32, u32 or f32, and storage buffers at bindings 1, 2, ... Shapes are uniforms, so that one
 * compiled program serves every shape.
 */

import { type HostNumber, hostNumber } from "../host_number.ts";

/** A program and where its source came from. */
export interface Program {
  /** Shown in errors and profiles. */
  readonly name: string;
  readonly code: string;
  readonly uniforms: readonly UniformField[];
}

/** A field of the uniform struct, in order. */
export interface UniformField {
  name: string;
  type: "i32" | "u32" | "f32";
}

/** What every program begins with: the invocations of a workgroup, which each device sets for itself. */
const COMMON = "override WORKGROUP: u32 = 64;";

/**
 * A program from its WGSL; `common` is text it shares with others, put in front.
 *
 * @throws {TypeError} If `Uniforms` is missing or has a field of another type.
 */
export function program(name: string, source: string, common = ""): Program {
  const body = source.match(/struct\s+Uniforms\s*\{([^}]*)\}/)?.[1];
  if (body === undefined) throw new TypeError(`Program ${name} has no struct Uniforms`);
  const uniforms = body.replace(/\/\/.*$/gm, "").split(",").map((field) => field.trim())
    .filter((field) => field !== "").map((field): UniformField => {
      const [, key, type] = field.match(/^(\w+)\s*:\s*(i32|u32|f32)$/) ?? [];
      if (!key) throw new TypeError(`Program ${name}: cannot use the uniform "${field}"`);
      return { name: key, type: type as UniformField["type"] };
    });
  return { name, code: `${COMMON}\n${common}\n${source}`, uniforms };
}

/** A program, and the same for half floats where it has `alias Stored = ...`. */
export type StoredProgram = Readonly<Record<StoredForm, Program>>;
/** How values are stored. */
export type StoredForm = "floats" | "halves";

/** Both programs of a text whose `Stored` is so many values. */
export function storedProgram(floats: Program, values: 1 | 4): StoredProgram {
  const stored = `alias Stored = ${values === 1 ? "f16" : "vec4<f16>"};`;
  const code = `enable f16;\n${floats.code.replace(/alias Stored = \w+;/, stored)}`;
  return { floats, halves: { ...floats, name: `${floats.name}, of halves`, code } };
}

/** A program that works on single values, and the same on four neighbouring channels at once. */
export interface ItemProgram {
  readonly singles: Program;
  readonly quads: Program;
}

/** Both programs of a text that has the line `alias Item = f32;`. */
export function itemProgram(name: string, source: string): ItemProgram {
  const quads = source.replace("alias Item = f32;", "alias Item = vec4f;");
  return { singles: program(name, source), quads: program(`${name}, by four`, quads) };
}

/** Both programs for both forms. */
export function storedItems({ singles, quads }: ItemProgram): Record<StoredForm, ItemProgram> {
  const one = storedProgram(singles, 1), four = storedProgram(quads, 4);
  return {
    floats: { singles: one.floats, quads: four.floats },
    halves: { singles: one.halves, quads: four.halves },
  };
}

/**
 * Writes a call's uniforms.
 *
 * @throws {TypeError} If a field is missing or unknown.
 */
export function writeUniforms(
  { name, uniforms }: Program,
  values: Readonly<Record<string, HostNumber>>,
  into: DataView,
): void {
  const given = Object.keys(values);
  if (given.length !== uniforms.length) {
    const wrong = given.find((key) => !uniforms.some((field) => field.name === key)) ??
      uniforms.find((field) => !(field.name in values))?.name;
    throw new TypeError(`Program ${name}: uniform "${wrong}" is unknown or missing`);
  }
  uniforms.forEach((field, index) => {
    const given = values[field.name];
    if (given === undefined) throw new TypeError(`Program ${name}: no uniform "${field.name}"`);
    const value = hostNumber(given);
    if (field.type === "f32") into.setFloat32(4 * index, value, true);
    else if (field.type === "i32") into.setInt32(4 * index, value, true);
    else into.setUint32(4 * index, value, true);
  });
}

/** Bytes of a call's uniforms. */
export function uniformBytes({ uniforms }: Program): number {
  return Math.max(16, Math.ceil(uniforms.length / 4) * 16);
}
