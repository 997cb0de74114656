/** Tests of decoding against PIL's pixels, on photographs and on files of every odd kind. */

import { decodeImage, UnreadableImageError } from "../../datasets/decode.ts";
import { sha256Of } from "../../datasets/digest.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";
import { permitted } from "../permitted.ts";
import {
  decodingPermitted,
  digests,
  oddFile,
  oddFiles,
  photograph,
  readExpected,
} from "./image_fixtures.ts";

/** Why each file is refused. PIL refuses all of them but the animation. */
const REASONS: Record<string, string> = {
  "truncated.jpg": "truncated",
  "without_end.jpg": "truncated",
  "truncated.png": "damaged or truncated",
  "truncated.webp": "damaged or truncated",
  "damaged.png": "damaged or truncated",
  "damaged_header.png": "damaged or truncated",
  "over_limit.png": "more than 178956970 pixels",
  "text.jpg": "not a JPEG, PNG or WebP image",
  "drawing.png": "not a JPEG, PNG or WebP image",
  "animated.gif": "not a JPEG, PNG or WebP image",
  "empty.jpg": "empty file",
};

async function assertUnreadable(path: string, reason: string): Promise<void> {
  const error = await assertRejects(() => decodeImage(path), UnreadableImageError);
  assertEquals(error.message, `Cannot read the image ${path}: ${reason}`);
}

for (const [name, digest] of Object.entries(digests)) {
  Deno.test({
    name: `decodeImage() gives PIL's pixels of the photograph ${name}`,
    ignore: !decodingPermitted(),
    async fn() {
      assertEquals(sha256Of((await decodeImage(photograph(name))).pixels), digest);
    },
  });
}

for (const [name, expected] of Object.entries(oddFiles)) {
  const reason = REASONS[name];
  Deno.test({
    name: `decodeImage() ${reason ? "refuses" : "gives PIL's pixels of"} ${name}`,
    ignore: !decodingPermitted(),
    async fn() {
      if (reason) await assertUnreadable(oddFile(name), reason);
      else {
        assert(expected !== null, "PIL refuses it");
        assertEquals(await decodeImage(oddFile(name)), await readExpected(expected));
      }
    },
  });
}

Deno.test({
  name: "decodeImage() refuses a folder and a file that is not there",
  ignore: !permitted({ read: ["."] }),
  async fn() {
    await assertUnreadable("tests/fixtures", "a folder");
    await assertUnreadable(oddFile("nowhere.jpg"), "no such file");
  },
});
