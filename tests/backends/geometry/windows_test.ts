/** Tests of the shape arithmetic against positions counted one by one. */

import { assertEquals, assertThrows } from "../../assert.ts";
import { checkWindow, windowOutput, windowPadding } from "../../../backends/geometry/windows.ts";

Deno.test("windowOutput() counts the positions at which a window fits the padded size", () => {
  for (const kernel of [1, 3, 5, 7]) {
    for (const dilation of [1, 2]) {
      for (const stride of [1, 2]) {
        for (const size of [1, 2, 7, 8, 31, 32]) {
          const padding = windowPadding({ kernel, dilation });
          let positions = 0;
          for (let at = 0; at + dilation * (kernel - 1) < size + 2 * padding; at += stride) {
            positions++;
          }
          assertEquals(windowOutput(size, { kernel, stride, dilation }), positions);
          assertEquals(positions, Math.ceil(size / stride));
        }
      }
    }
  }
});

Deno.test("checkWindow() takes odd kernels with stride and dilation 1 or 2 alone", () => {
  for (const kernel of [1, 3, 5, 7]) checkWindow("op", { kernel, stride: 2, dilation: 2 });
  for (const kernel of [0, -1, 2, 1.5, NaN]) {
    assertThrows(
      () => checkWindow("op", { kernel, stride: 1, dilation: 1 }),
      RangeError,
      `Cannot run op: want an odd kernel, got ${kernel}`,
    );
  }
  for (const wrong of [0, 3, 1.5, NaN]) {
    assertThrows(
      () => checkWindow("op", { kernel: 3, stride: wrong, dilation: 1 }),
      RangeError,
      `Cannot run op: want stride 1 or 2, got ${wrong}`,
    );
    assertThrows(
      () => checkWindow("op", { kernel: 3, stride: 1, dilation: wrong }),
      RangeError,
      `Cannot run op: want dilation 1 or 2, got ${wrong}`,
    );
  }
});
