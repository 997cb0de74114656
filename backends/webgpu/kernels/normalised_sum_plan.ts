/**
 * Lays out a call of the normalised-sum programs: terms in the order in which the programs take
 * them, six at a time, and a table of their coefficients on the device, which no one reads back.
 */

import type { TensorInfo } from "@tensorflow/tfjs-core";
import { type HostNumber, hostNumber } from "../../host_number.ts";
import type { NormalisedSumAttrs, SumTermSpec } from "../../ops/normalised_sum.ts";
import type { WebGpuBackend } from "../backend.ts";
import {
  type Program,
  program,
  type StoredForm,
  type StoredProgram,
  storedProgram,
} from "../program.ts";
import { gcd, type Slice } from "../slices.ts";
import factors from "../wgsl/normalised_sum_factors.wgsl" with { type: "text" };
import mask from "../wgsl/mask.wgsl" with { type: "text" };
import scalar from "../wgsl/normalised_sum_scalar.wgsl" with { type: "text" };
import tableText from "../wgsl/normalised_sum_table.wgsl" with { type: "text" };
import vector from "../wgsl/normalised_sum_vector.wgsl" with { type: "text" };
import type { Scratch } from "./scratch.ts";

const TABLE = program("normalised sum, table", tableText);

/** Values of a channel that an invocation takes, about. */
export const SHARE = 16;

/** Terms that a program takes: with a table and a result that makes 8 storage buffers. */
export const SLOTS = 6;

/** A program for plain terms, by the channels that it takes at a time. */
export type PlainPrograms = Record<1 | 4, StoredProgram>;

/**
 * A program for plain terms whose tensors are arrays of `Value`; `table` says whether it reads one.
 */
export function plainPrograms(name: string, text: string, { table = true } = {}): PlainPrograms {
  const common = (type: string, coefficients: string) =>
    `alias Value = ${type};\n${table ? coefficients : ""}`;
  return {
    1: storedProgram(program(name, text, common("f32", scalar)), 1),
    4: storedProgram(program(`${name}, by four`, text, common("vec4f", vector)), 4),
  };
}

/**
 * Programs for 1, 2, ... special terms: with dropout masks alone, or factors per sample too.
 */
export interface SpecialPrograms {
  masked: Program[];
  sampled: Program[];
}

/** A program for special terms, once for each number of them up to `most`. */
export function specialPrograms(name: string, text: string, most: number): SpecialPrograms {
  const programs = (sampled: boolean) =>
    slots(most, (slot) => {
      const constants = `const TERMS = ${slot + 1};\nconst SAMPLED = ${sampled};`;
      const title = `${name}, ${slot + 1}${sampled ? " with factors per sample" : ""}`;
      return program(title, text, `${constants}\n${mask}\n${factors}`);
    });
  return { masked: programs(false), sampled: programs(true) };
}

/** The program for some special terms. */
export function specialProgram(programs: SpecialPrograms, chunk: readonly PlannedTerm[]): Program {
  const sampled = chunk.some(({ samples }) => samples >= 0);
  return programs[sampled ? "sampled" : "masked"][chunk.length - 1];
}

/** One term and where it is. */
export interface PlannedTerm {
  spec: SumTermSpec;
  /**
   * Its position in the call, its row of the table, and where its factors per sample are, or -1.
   */
  position: number;
  row: number;
  samples: number;
}

export interface SumPlan {
  /**
   * First those without masks and factors per sample; of either kind those that need sums first, of
   * these the halves.
   */
  terms: PlannedTerm[];
  plain: PlannedTerm[];
  special: PlannedTerm[];
  channels: number;
  /** Channels that programs for plain terms take at a time. */
  lanes: 1 | 4;
  /** Values of an image. */
  elements: number;
  /** Of all images. */
  pixels: number;
  table: GPUBuffer;
}

/** True for a term with a dropout mask or factors per sample. */
export function isSpecial(spec: SumTermSpec): boolean {
  return hostNumber(spec.threshold) > 0 || spec.sampleWeights >= 0;
}

/** True for a term whose affine pair or weight gets a gradient. */
export function needsSums({ spec }: PlannedTerm): boolean {
  return spec.affine >= 0 || spec.weight >= 0;
}

/** The plan of a call; the table is encoded. */
export function planSum(
  backend: WebGpuBackend,
  scratch: Scratch,
  { inputs, attrs }: { inputs: TensorInfo[]; attrs: NormalisedSumAttrs },
): SumPlan {
  const [images, height, width, channels] = inputs[attrs.terms[0].x].shape;
  // Programs for special terms read floats.
  for (const spec of attrs.terms) if (isSpecial(spec)) backend.buffer(inputs[spec.x]);
  const rank = (term: PlannedTerm) =>
    4 * Number(isSpecial(term.spec)) + 2 * Number(!needsSums(term)) +
    Number(backend.halves.form(inputs[term.spec.x]) === "floats");
  const terms = attrs.terms
    .map((spec, position): PlannedTerm => ({ spec, position, row: 0, samples: -1 }))
    .sort((a, b) => rank(a) - rank(b) || a.position - b.position);
  let size = terms.length * (2 * channels + 2);
  terms.forEach((term, row) => {
    term.row = row;
    if (term.spec.sampleWeights < 0) return;
    term.samples = size;
    size += images;
  });
  const elements = height * width * channels, table = scratch.floats(size);
  encodeTable(backend, scratch, { inputs, attrs, terms, table });
  return {
    terms,
    plain: terms.filter(({ spec }) => !isSpecial(spec)),
    special: terms.filter(({ spec }) => isSpecial(spec)),
    channels,
    lanes: channels % 4 === 0 ? 4 : 1,
    elements,
    pixels: images * height * width,
    table,
  };
}

/** What a source of the table is, as in normalised_sum_table.wgsl. */
const NONE = 0, PLAIN = 1, AFFINE = 2, SAMPLES = 3;

interface Source {
  kind: number;
  /** Position among the inputs, or -1. */
  input: number;
  offset: number;
  weight: number;
}

function encodeTable(
  backend: WebGpuBackend,
  scratch: Scratch,
  { inputs, attrs, terms, table }: {
    inputs: TensorInfo[];
    attrs: NormalisedSumAttrs;
    terms: PlannedTerm[];
    table: GPUBuffer;
  },
): void {
  const [images, , , channels] = inputs[terms[0].spec.x].shape, rowSize = 2 * channels + 2;
  const sources = terms.flatMap(({ spec, row, samples }): Source[] => [
    {
      kind: spec.affine < 0 ? PLAIN : AFFINE,
      input: spec.affine,
      offset: row * rowSize,
      weight: spec.weight,
    },
    ...(samples < 0
      ? []
      : [{ kind: SAMPLES, input: spec.sampleWeights, offset: samples, weight: -1 }]),
  ]);
  const width = Math.max(2 * channels, images), unread = scratch.floats(1);
  const bufferOf = (input = -1) => input < 0 ? unread : backend.buffer(inputs[input]);
  for (const chunk of chunksOf(sources, SLOTS)) {
    const bound = slots(SLOTS, (slot) => bufferOf(chunk[slot]?.input));
    backend.run(TABLE, {
      buffers: [bufferOf(attrs.weights), ...bound, table],
      uniforms: {
        channels,
        images,
        width,
        ...numbered("kind", SLOTS, (slot) => chunk[slot]?.kind ?? NONE),
        ...numbered("offset", SLOTS, (slot) => chunk[slot]?.offset ?? 0),
        ...numbered("weight", SLOTS, (slot) => chunk[slot]?.weight ?? -1),
      },
      invocations: chunk.length * width,
    });
  }
  scratch.release(unread);
}

/**
 * Values from one element of an invocation to its next: a multiple of the channels and of a mask's
 * groups, so that each of its elements keeps to one channel and one place in a group.
 *
 * @param values Of a slice. @param share Values that an invocation takes of one channel, about.
 * @param most Most invocations of a channel.
 */
export function strideOf(
  { channels }: SumPlan,
  { values, share, most = Infinity }: { values: number; share: number; most?: number },
): number {
  const period = channels * 16 / gcd(channels, 16);
  const wanted = Math.min(
    Math.ceil(values / (share * period)),
    Math.floor(most * channels / period),
  );
  return period * Math.max(1, wanted);
}

/** Runs of at most `size` items. */
export function chunksOf<T>(items: readonly T[], size: number): T[][] {
  return Array.from(
    { length: Math.ceil(items.length / size) },
    (_, chunk) => items.slice(chunk * size, (chunk + 1) * size),
  );
}

/** Terms that a program takes at once, and how their tensors are stored. */
export interface StoredTerms {
  form: StoredForm;
  terms: PlannedTerm[];
}

/** Runs of at most {@linkcode SLOTS} terms whose tensors are stored alike. */
export function storedChunks(
  { halves }: WebGpuBackend,
  inputs: readonly TensorInfo[],
  terms: readonly PlannedTerm[],
): StoredTerms[] {
  const chunks: StoredTerms[] = [];
  for (const term of terms) {
    const form = halves.form(inputs[term.spec.x]), last = chunks.at(-1);
    if (last?.form === form && last.terms.length < SLOTS) last.terms.push(term);
    else chunks.push({ form, terms: [term] });
  }
  return chunks;
}

/** One value per slot. */
export function slots<T>(count: number, valueOf: (slot: number) => T): T[] {
  return Array.from({ length: count }, (_, slot) => valueOf(slot));
}

/** Uniforms `<name>0`, `<name>1`, ... */
export function numbered(
  name: string,
  count: number,
  valueOf: (slot: number) => HostNumber,
): Record<string, HostNumber> {
  return Object.fromEntries(slots(count, (slot) => [`${name}${slot}`, valueOf(slot)]));
}

/** The uniforms of special terms in a slice of the pixels: masks and factors per sample. */
export function specialUniforms(
  { elements, channels }: SumPlan,
  { first }: Slice,
  { chunk, count }: { chunk: readonly PlannedTerm[]; count: number },
): Record<string, HostNumber> {
  const spec = (slot: number) => chunk[slot]?.spec;
  return {
    elements,
    before: first * channels,
    ...numbered("samples", count, (slot) => chunk[slot]?.samples ?? -1),
    ...numbered("threshold", count, (slot) => spec(slot)?.threshold ?? 0),
    ...numbered("keepScale", count, (slot) => spec(slot)?.keepScale ?? 1),
    ...numbered("keyA", count, (slot) => spec(slot)?.key[0] ?? 0),
    ...numbered("keyB", count, (slot) => spec(slot)?.key[1] ?? 0),
    ...numbered("counter", count, (slot) => spec(slot)?.counter ?? 0),
  };
}
