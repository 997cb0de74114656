/**
 * Records steps on any device that can keep work and run it later: see `Recorder` in contract.ts.
 *
 * Invariants: recording a step runs nothing on the device; tensors that live on between steps stay in
 * their homes, which a replay reads and, by copies at its end, writes.
 */

import type { Tensor } from "@tensorflow/tfjs-core";
import type { Recorder, Recording } from "./contract.ts";
import { type Copy, type HomeMemory, Homes } from "./homes.ts";

/** What a device does to have its steps recorded; a place is what holds a tensor's values. */
export interface RecordingDevice<Place> {
  readonly memory: HomeMemory<Place>;
  /** Where a tensor's values are, while it records: those on the host may stay there. */
  place(tensor: Tensor): Place;
  /**
   * Calls `body`, and keeps the work that it puts onto the device instead of running it.
   *
   * @param body Returns the places that are still to be released after it.
   * @throws {Error} If others are not released by its end, or whatever `body` throws; then nothing stays.
   */
  capture(body: () => readonly Place[]): Captured;
  /** Puts copies onto the device. */
  copyAll(copies: readonly Copy<Place>[]): void;
  /** Frees all that was captured. */
  dispose(): void;
}

/**
 * Runs what was captured, with the present numbers of functions.
 *
 * @param bring Called before: it brings the tensors home.
 */
export type Captured = (bring: () => void) => void;

export class StepRecorder<Place> implements Recorder {
  readonly #device: RecordingDevice<Place>;
  readonly #homes: Homes<Place>;

  constructor(device: RecordingDevice<Place>) {
    this.#device = device;
    this.#homes = new Homes(device.memory);
  }

  record(step: () => void, tensors: () => readonly Tensor[]): Recording {
    const added: Place[] = [];
    try {
      const homes = distinct(tensors().map((tensor) => this.#homes.of(tensor, added)));
      const run = this.#device.capture(() => {
        step();
        return this.#copyHome(tensors(), homes);
      });
      tensors().forEach((tensor, index) => this.#homes.settle(tensor, homes[index]));
      return {
        replay: (given) =>
          run(() => given.forEach((tensor, index) => this.#homes.bring(tensor, homes[index]))),
      };
    } catch (error) {
      this.#homes.remove(added);
      throw error;
    }
  }

  /** Puts copies of a step's results to the tensors' homes; returns the places they are in. */
  #copyHome(tensors: readonly Tensor[], homes: readonly Place[]): Place[] {
    const places = tensors.map((tensor) => this.#device.place(tensor));
    const copies = homes.map((to, index) => ({ from: places[index], to }))
      .filter(({ from, to }) => from !== to);
    distinct([...homes, ...copies.map(({ from }) => from)]);
    this.#device.copyAll(copies);
    return places;
  }

  dispose(): void {
    this.#device.dispose();
    this.#homes.dispose();
  }
}

/** @throws {Error} If a place, and so a tensor's values, comes twice. */
function distinct<Place>(places: readonly Place[]): readonly Place[] {
  if (new Set(places).size === places.length) return places;
  throw new Error("Cannot record a step: two of its tensors share their values");
}
