/** What the main thread and the workers that decode say to each other. */

import type { RandomKey } from "../backends/random.ts";
import type { TestTransform, TrainTransform } from "./image_transforms.ts";

/** What is done to an image: the training's random transform, or the test's. */
export type ImageWork =
  | { kind: "train"; transform: TrainTransform }
  | { kind: "test"; transform: TestTransform };

/** An image to load. */
export interface DecodeTask {
  /** Its file. */
  path: string;
  /** What is done to it. */
  work: ImageWork;
  /** The stream it draws its random choices from. */
  key: RandomKey;
}

/** `[size, size, 3]` pixels, or why there are none. */
export type Decoded = { pixels: Uint8Array<ArrayBuffer> } | { reason: string };

/** What a worker is told. Tasks are done in the order they come; a group that is cancelled is forgotten. */
export type WorkerOrder =
  | { kind: "load"; id: number; group: number; task: DecodeTask }
  | { kind: "cancel"; group: number };

/** What a worker answers to each task it does; a fault is an error that is not the image's. */
export type WorkerAnswer = { id: number; result: Decoded | { fault: string } };
