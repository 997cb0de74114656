/** Tests of telling images by their first bytes. */

import { imageKind } from "../../datasets/image_header.ts";
import { assertEquals } from "../assert.ts";
import { permitted } from "../permitted.ts";
import { oddFile } from "./image_fixtures.ts";

const KINDS = {
  "cmyk.jpg": "cmyk-jpeg",
  "cmyk_unmarked.jpg": "cmyk-jpeg",
  "ycck.jpg": "cmyk-jpeg",
  "grey.jpg": "jpeg",
  "progressive.jpg": "jpeg",
  "stray_bytes.jpg": "jpeg",
  "png_named.jpg": "png",
  "grey16.png": "grey16-png",
  "grey_alpha16.png": "png",
  "rgb16.png": "png",
  "animated.webp": "webp",
  "animated.gif": undefined,
  "drawing.png": undefined,
  "empty.jpg": undefined,
} as const;

Deno.test({
  name: "imageKind() tells the kind by content when the name says another",
  ignore: !permitted({ read: ["."] }),
  fn() {
    for (const [name, kind] of Object.entries(KINDS)) {
      assertEquals(imageKind(Deno.readFileSync(oddFile(name))), kind, name);
    }
  },
});

Deno.test("imageKind() ends on a JPEG without a frame", () => {
  for (
    const bytes of [[0xff, 0xd8, 0xff], [0xff, 0xd8, 0xff, 0xe0, 0xff], [
      0xff,
      0xd8,
      0xff,
      0xc0,
      0,
    ]]
  ) {
    assertEquals(imageKind(Uint8Array.from(bytes)), "jpeg");
  }
});
