/**
 * The messages of an event file, encoded by protobufjs: the parts of TensorBoard's `event.proto` and
 * `summary.proto` that are written here, with their field numbers.
 *
 * Source: https://github.com/tensorflow/tensorboard/tree/master/tensorboard/compat/proto
 */

import protobuf from "protobufjs";

const PACKAGE = `
syntax = "proto3";
message Event {
  double wall_time = 1;
  int64 step = 2;
  oneof what { string file_version = 3; Summary summary = 5; }
}
message Summary { repeated Value value = 1; }
message Value {
  string tag = 1;
  oneof value { float simple_value = 2; Image image = 4; HistogramProto histo = 5; }
}
message Image {
  int32 height = 1;
  int32 width = 2;
  int32 colorspace = 3;
  bytes encoded_image_string = 4;
}
message HistogramProto {
  double min = 1;
  double max = 2;
  double num = 3;
  double sum = 4;
  double sum_squares = 5;
  repeated double bucket_limit = 6 [packed = true];
  repeated double bucket = 7 [packed = true];
}
`;

/** A value of a summary. */
export type Value =
  | { readonly simpleValue: number }
  | { readonly histo: Histogram }
  | { readonly image: Image };

/** A PNG; `colorspace` is its number of channels. */
export interface Image {
  readonly height: number;
  readonly width: number;
  readonly colorspace: number;
  readonly encodedImageString: Uint8Array;
}

/** Counts of values up to each limit. */
export interface Histogram {
  readonly min: number;
  readonly max: number;
  readonly num: number;
  readonly sum: number;
  readonly sumSquares: number;
  readonly bucketLimit: readonly number[];
  readonly bucket: readonly number[];
}

/** A value at a step. */
export interface TaggedValue {
  readonly tag: string;
  /** A whole number. */
  readonly step: number;
  /** Seconds since 1970. */
  readonly wallTime: number;
  readonly value: Value;
}

/** The type that encodes and decodes events. */
export const EVENT: protobuf.Type = protobuf.parse(PACKAGE).root.lookupType("Event");

/** The event that begins a file. */
export function versionEvent(wallTime: number): Uint8Array {
  return EVENT.encode(EVENT.create({ wallTime, fileVersion: "brain.Event:2" })).finish();
}

/** The event of a value. */
export function valueEvent({ tag, step, wallTime, value }: TaggedValue): Uint8Array {
  return EVENT.encode(EVENT.create({ wallTime, step, summary: { value: [{ tag, ...value }] } }))
    .finish();
}

/** Buckets of a histogram. */
const BUCKETS = 30;

/** The histogram of values, of which there is one or more, in buckets of one width. */
export function histogramOf(values: readonly number[]): Histogram {
  const min = Math.min(...values), max = Math.max(...values);
  const width = (max - min) / BUCKETS || 1;
  const bucket = new Array<number>(BUCKETS).fill(0);
  for (const value of values) bucket[Math.min(BUCKETS - 1, Math.floor((value - min) / width))]++;
  return {
    min,
    max,
    num: values.length,
    sum: values.reduce((sum, value) => sum + value, 0),
    sumSquares: values.reduce((sum, value) => sum + value * value, 0),
    bucketLimit: bucket.map((_, index) => min + (index + 1) * width),
    bucket,
  };
}
