/** Tests of the pages that kernels of a recorded step read of the host, on made-up memory. */

import { HostTables } from "../../../backends/cudnn/host_tables.ts";
import { assert, assertEquals } from "../../assert.ts";

/** Memory that keeps what is uploaded to each address. */
class Memory {
  /** Bytes of each page. */
  readonly pages = new Map<bigint, number>();
  readonly uploads = new Map<bigint, Float32Array>();
  readonly pool = {
    reserve: (bytes: number) => {
      const address = BigInt(this.pages.size + 1) << 32n;
      this.pages.set(address, bytes);
      return address;
    },
    unreserve: (address: bigint) => assert(this.pages.delete(address), `no page at ${address}`),
  };

  upload(values: ArrayBufferView<ArrayBuffer>, address: bigint): void {
    const { buffer, byteOffset, byteLength } = values;
    this.uploads.set(address, new Float32Array(buffer, byteOffset, byteLength / 4).slice());
  }

  /** Values at an address within an uploaded page. */
  at(address: bigint, count: number): number[] {
    const page = address >> 32n << 32n, first = Number(address - page) / 4;
    return [...this.uploads.get(page)!.slice(first, first + count)];
  }
}

Deno.test("HostTables uploads what does not change once, and the rest at each refresh", () => {
  const memory = new Memory(), tables = new HostTables(memory);
  const values = new Float32Array([1, 2]), numbers = new Float32Array([0]);
  let now = 5;
  const fixed = tables.place(values), other = tables.place(new Float32Array([3]));
  const changing = tables.place(numbers, () => numbers[0] = now);
  tables.finish();
  assertEquals([memory.at(fixed, 2), memory.at(other, 1)], [[1, 2], [3]]);
  assertEquals([...memory.uploads.keys()].length, 1, "nothing that changes is uploaded yet");
  for (now of [6, 7]) {
    memory.uploads.clear();
    tables.refresh();
    assertEquals([memory.at(changing, 1), memory.uploads.size], [[now], 1]);
  }
  tables.dispose();
  assertEquals(memory.pages.size, 0);
});

Deno.test("HostTables gives places of 256 bytes, and large things a page of their own", () => {
  const memory = new Memory(), tables = new HostTables(memory);
  const places = [1, 64, 65, 1].map((count) => tables.place(new Float32Array(count).fill(count)));
  const steps = places.slice(1).map((place, index) => Number(place - places[index]));
  assertEquals(steps, [256, 256, 512]);
  const large = tables.place(new Float32Array(1 << 15).fill(9));
  assertEquals([...memory.pages.values()], [1 << 16, 1 << 17]);
  tables.finish();
  assertEquals([memory.at(places[2], 65), memory.at(large, 1)], [new Array(65).fill(65), [9]]);
});
