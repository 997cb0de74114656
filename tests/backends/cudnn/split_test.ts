/** Tests of how sums are split into the blocks of CUDA kernels. */

import { lanesFor, splitSum, THREADS } from "../../../backends/cudnn/kernels/split.ts";
import { assert, assertEquals } from "../../assert.ts";

Deno.test("splitSum() covers all items with parts of which none is empty", () => {
  for (const length of [1, 2, 31, 32, 33, 1000, 98304, 3211264]) {
    for (const blocks of [1, 3, 81, 5000]) {
      for (const least of [1, 32, 4096]) {
        const { parts, share } = splitSum(length, { blocks, least });
        const sizes = `${length} items, ${blocks} blocks, ${least} at least: ${parts} x ${share}`;
        assert(parts * share >= length && (parts - 1) * share < length, sizes);
        assert(parts === 1 || share >= least || length < 2 * least, sizes);
      }
    }
  }
});

Deno.test("lanesFor() covers all channels, leaving fewer than a block's lanes over", () => {
  for (let channels = 1; channels <= 300; channels++) {
    const { lanes, groups } = lanesFor(channels), over = lanes * groups - channels;
    assertEquals(THREADS % lanes, 0);
    assert(over >= 0 && over < 16, `${channels} channels leave ${over} lanes over`);
  }
});
