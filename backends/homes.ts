/**
 * Homes: the places on a device in which recordings read and write the values of tensors that live on
 * between steps.
 *
 * Invariants: at most one tensor's data is in a home; one that has to leave keeps its values. A home stays
 * reserved when its tensor is disposed, since a later one, with the next step's values, may move in.
 */

import type { DataId, TensorInfo } from "@tensorflow/tfjs-core";

/** Whoever decides what becomes of a place when it is released. */
export interface PlaceOwner<Place> {
  /** A tensor or a kernel no longer holds the place. */
  released(place: Place): void;
}

/** Values on their way from one place to another of the same size. */
export interface Copy<Place> {
  from: Place;
  to: Place;
}

/** A backend's memory as homes see it. A place is what holds a tensor's values, such as a buffer. */
export interface HomeMemory<Place> {
  /** Where a tensor's values are, once they are on the device. */
  place(tensor: TensorInfo): Place;
  /** The same, or undefined while they are on the host. */
  found(dataId: DataId): Place | undefined;
  /** Notes that a tensor's values are, or will be, in a place and nowhere else. */
  move(dataId: DataId, place: Place): void;
  /** A place of the same size, which nobody owns. */
  takeLike(place: Place): Place;
  /** Gives back a place that nobody owns; work under way may still use it. */
  release(place: Place): void;
  /** From now on an owner is told when a place is released. */
  own(place: Place, owner: PlaceOwner<Place>): void;
  /** A place has no owner any more. */
  disown(place: Place): void;
  /** Counts a place as kept and held by no tensor (1), or no longer (-1). */
  countIdle(place: Place, change: 1 | -1): void;
  /** Copies values between places, after all work so far. */
  copy(copy: Copy<Place>): void;
  /** Copies a tensor's values from the host to a place. */
  upload(tensor: TensorInfo, place: Place): void;
}

export class Homes<Place> implements PlaceOwner<Place> {
  readonly #memory: HomeMemory<Place>;
  /** Every home, and whose data is in it. */
  readonly #tenants = new Map<Place, DataId | undefined>();

  constructor(memory: HomeMemory<Place>) {
    this.#memory = memory;
  }

  /** The home of a tensor: the one it is in, or its place, which becomes one and goes to `added`. */
  of(tensor: TensorInfo, added: Place[]): Place {
    const home = this.#memory.place(tensor);
    if (this.#tenants.has(home)) return home;
    added.push(home);
    this.#memory.own(home, this);
    this.#tenants.set(home, tensor.dataId);
    this.#memory.move(tensor.dataId, home);
    return home;
  }

  /** Makes homes ordinary places again: of the tensors in them, or free ones. */
  remove(homes: Iterable<Place>): void {
    for (const home of homes) {
      const empty = this.#tenants.get(home) === undefined;
      this.#tenants.delete(home);
      this.#memory.disown(home);
      if (!empty) continue;
      this.#memory.countIdle(home, -1);
      this.#memory.release(home);
    }
  }

  /** Makes all homes ordinary places. */
  dispose(): void {
    this.remove([...this.#tenants.keys()]);
  }

  /** Moves a tensor and its values home, from the host or from another place. */
  bring(tensor: TensorInfo, home: Place): void {
    const from = this.#memory.found(tensor.dataId);
    if (from === home) return;
    this.#vacate(home);
    if (from === undefined) this.#memory.upload(tensor, home);
    else this.#memory.copy({ from: this.#memory.place(tensor), to: home });
    this.settle(tensor, home);
  }

  /** Moves a tensor into its empty home, where its values are or will be. */
  settle({ dataId }: TensorInfo, home: Place): void {
    const from = this.#memory.found(dataId);
    if (from === home) return;
    this.#vacate(home);
    if (from !== undefined) this.#memory.release(from);
    this.#memory.move(dataId, home);
    this.#tenants.set(home, dataId);
    this.#memory.countIdle(home, -1);
  }

  /** Whoever is in a home moves out, with a copy of its values. */
  #vacate(home: Place): void {
    const tenant = this.#tenants.get(home);
    if (tenant === undefined) return;
    const place = this.#memory.takeLike(home);
    this.#memory.copy({ from: home, to: place });
    this.#memory.move(tenant, place);
    this.released(home);
  }

  released(home: Place): void {
    if (this.#tenants.get(home) === undefined) return;
    this.#tenants.set(home, undefined);
    this.#memory.countIdle(home, 1);
  }
}
