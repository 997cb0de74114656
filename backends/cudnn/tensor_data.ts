/**
 * The values behind a tensor of the cuDNN backend: on the host until a kernel of ours asks for their
 * address, on the card from then on, never on both.
 *
 * tfjs-backend-cpu's kernels, which are the fallback, read and write the property `values`; here that
 * is a copy of what is on the card, made when asked for.
 */

import type { backend_util, DataType, TensorInfo } from "@tensorflow/tfjs-core";

/** Copies values from the card; the backend. */
export interface Downloader {
  download(tensor: DeviceTensor): backend_util.TypedArray;
}

export class DeviceTensor {
  readonly dtype: DataType;
  refCount = 1;
  complexTensorInfos?: { real: TensorInfo; imag: TensorInfo };
  /** Elements, not bytes. */
  readonly elements: number;
  readonly #owner: Downloader;
  #host: backend_util.BackendValues | undefined;
  #address: bigint | undefined;

  constructor(
    owner: Downloader,
    { dtype, elements, host, address }: {
      dtype: DataType;
      elements: number;
      host?: backend_util.BackendValues;
      address?: bigint;
    },
  ) {
    this.#owner = owner;
    this.dtype = dtype;
    this.elements = elements;
    this.#host = host;
    this.#address = address;
  }

  /** Address of the block that holds them; undefined while they are on the host. */
  get address(): bigint | undefined {
    return this.#address;
  }

  /** Values on the host; undefined once they are on the card. */
  get host(): backend_util.BackendValues | undefined {
    return this.#host;
  }

  get values(): backend_util.BackendValues | undefined {
    return this.#address === undefined ? this.#host : this.#owner.download(this);
  }

  set values(values: backend_util.BackendValues | undefined) {
    this.#host = values;
  }

  /** Notes that the values have been copied to a block. */
  place(address: bigint): void {
    this.#address = address;
    this.#host = undefined;
  }
}

/** Bytes of a tensor's values, 0 for those that have no place on the card. */
export function bytesOf({ dtype, elements }: { dtype: DataType; elements: number }): number {
  if (dtype === "float32" || dtype === "int32") return 4 * elements;
  return dtype === "bool" ? elements : 0;
}

/** The array of a numeric tensor's values. */
type NumericArray =
  | Float32Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>;

/** An array for a numeric tensor's values. */
export function arrayFor(
  { dtype, elements }: { dtype: DataType; elements: number },
): NumericArray {
  if (dtype === "float32") return new Float32Array(elements);
  return dtype === "int32" ? new Int32Array(elements) : new Uint8Array(elements);
}

/** A numeric tensor's values on the host as the card has them; a copy where they are otherwise. */
export function hostValues({ dtype, elements, host }: DeviceTensor): NumericArray {
  const kind = arrayFor({ dtype, elements: 0 }).constructor;
  if (host?.constructor === kind) return host as NumericArray;
  const values = arrayFor({ dtype, elements });
  values.set(host as unknown as ArrayLike<number>);
  return values;
}
