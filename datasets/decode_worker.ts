/**
 * The worker of `decode_pool.ts`: decodes and transforms one image after another.
 *
 * Invariant: an image's pixels follow from its task alone. Tasks wait here and not on the main thread,
 * which hears nothing while a step of training keeps it busy.
 */

/// <reference lib="deno.worker" />

import { CounterRandom } from "../backends/random.ts";
import { decodeImage, UnreadableImageError } from "./decode.ts";
import type { DecodeTask, WorkerAnswer, WorkerOrder } from "./decode_work.ts";
import { drawTransform, testImage, trainImage } from "./image_transforms.ts";

const scope = self as unknown as DedicatedWorkerGlobalScope;

let waiting: Extract<WorkerOrder, { kind: "load" }>[] = [];
let busy = false;

async function load({ path, work, key }: DecodeTask): Promise<Uint8Array> {
  const image = await decodeImage(path);
  if (work.kind === "test") return testImage(image, work.transform);
  const random = new CounterRandom({ key, counter: 0 });
  return trainImage(image, work.transform, drawTransform(random, work.transform, image));
}

async function answer(task: DecodeTask): Promise<WorkerAnswer["result"]> {
  try {
    return { pixels: await load(task) as Uint8Array<ArrayBuffer> };
  } catch (error) {
    if (error instanceof UnreadableImageError) return { reason: error.reason };
    return { fault: error instanceof Error ? error.message : String(error) };
  }
}

async function workOn(): Promise<void> {
  busy = true;
  for (let next = waiting.shift(); next; next = waiting.shift()) {
    const message: WorkerAnswer = { id: next.id, result: await answer(next.task) };
    const { result } = message;
    scope.postMessage(message, "pixels" in result ? [result.pixels.buffer] : []);
  }
  busy = false;
}

scope.onmessage = ({ data }: MessageEvent<WorkerOrder>) => {
  if (data.kind === "cancel") waiting = waiting.filter(({ group }) => group !== data.group);
  else {
    waiting.push(data);
    if (!busy) workOn();
  }
};
