/** Tests of the cache: made once, checked always, never half there. */

import { sha256Of } from "../../datasets/digest.ts";
import { loadRaw, type RawArrays, type RawFile } from "../../datasets/raw_cache.ts";
import { DatasetError } from "../../datasets/types.ts";
import { assertEquals, assertRejects, assertStringIncludes } from "../assert.ts";
import { scratchPermitted, withScratch } from "../scratch.ts";

const ignore = !scratchPermitted();

const CONTENTS: [string, Uint8Array<ArrayBuffer>][] = [
  ["images.bin", Uint8Array.from({ length: 1000 }, (_, i) => i % 256)],
  ["labels.bin", Uint8Array.of(1, 2, 3)],
];
const FILES: RawFile[] = CONTENTS.map(([name, bytes]) => ({
  name,
  size: bytes.length,
  sha256: sha256Of(bytes),
}));

/** A source that counts how often it is asked. */
class Source {
  made = 0;
  readonly messages: string[] = [];

  load(folder: string, contents = CONTENTS): Promise<RawArrays> {
    return loadRaw(folder, {
      files: FILES,
      title: "CIFAR-10",
      make: () => {
        this.made++;
        return Promise.resolve(new Map(contents));
      },
      onProgress: (message) => this.messages.push(message),
    });
  }
}

/** A test that gets an empty folder. */
function fileTest(name: string, body: (folder: string) => Promise<void>): void {
  Deno.test({ name, ignore, fn: () => withScratch(body) });
}

fileTest("loadRaw() makes the arrays once and reads them after", async (folder) => {
  const source = new Source(), cache = `${folder}/deep/cache`;
  assertEquals(await source.load(cache), new Map(CONTENTS));
  assertEquals(await source.load(cache), new Map(CONTENTS));
  assertEquals(source.made, 1);
  assertEquals(source.messages, []);
  const names = Array.from(Deno.readDirSync(cache), ({ name }) => name).sort();
  assertEquals(names, ["images.bin", "labels.bin"]);
});

fileTest("loadRaw() makes the arrays again when one is changed or short", async (folder) => {
  const source = new Source(), path = `${folder}/images.bin`;
  await source.load(folder);
  const damages = [CONTENTS[0][1].with(500, 0), CONTENTS[0][1].slice(0, 999), new Uint8Array()];
  for (const [i, damaged] of damages.entries()) {
    await Deno.writeFile(path, damaged);
    assertEquals(await source.load(folder), new Map(CONTENTS));
    assertEquals(source.made, i + 2);
    assertEquals(await Deno.readFile(path), CONTENTS[0][1]);
  }
  assertEquals(source.messages[0], `CIFAR-10 in ${folder} is damaged; making it again`);
});

fileTest("loadRaw() makes the arrays again when one is missing", async (folder) => {
  const source = new Source();
  await source.load(folder);
  await Deno.remove(`${folder}/labels.bin`);
  assertEquals(await source.load(folder), new Map(CONTENTS));
  assertEquals([source.made, source.messages.length], [2, 0]);
});

fileTest("loadRaw() removes what killed runs left, and spares running ones", async (folder) => {
  const old = `${folder}/images.bin.old.tmp`, young = `${folder}/images.bin.young.tmp`;
  for (const path of [old, young]) await Deno.writeTextFile(path, "partial");
  const before = new Date(Date.now() - 2 * 60 * 60 * 1000);
  await Deno.utime(old, before, before);
  await new Source().load(folder);
  const names = Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();
  assertEquals(names, ["images.bin", "images.bin.young.tmp", "labels.bin"]);
});

fileTest("loadRaw() goes on when the folder cannot be written", async (folder) => {
  const source = new Source(), blocked = `${folder}/file`;
  await Deno.writeTextFile(blocked, "not a folder");
  assertEquals(await source.load(blocked), new Map(CONTENTS));
  assertStringIncludes(source.messages[0], `Cannot keep CIFAR-10 in ${blocked}`);
});

fileTest("loadRaw() throws and writes nothing when the source is wrong", async (folder) => {
  const wrong = CONTENTS.map(([name, bytes]) => [name, bytes.with(0, 9)] as typeof CONTENTS[0]);
  await assertRejects(
    () => new Source().load(folder, wrong),
    DatasetError,
    `Cannot use CIFAR-10: want images.bin with SHA-256 ${FILES[0].sha256} of 1000 bytes, got`,
  );
  await assertRejects(() => new Source().load(folder, []), DatasetError, "got nothing");
  assertEquals(Array.from(Deno.readDirSync(folder)), []);
});
