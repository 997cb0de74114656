/** Tests of what is found in a folder of images, and of what is refused. */

import { type ImageFolderOptions, readImageFolder } from "../../datasets/image_folder.ts";
import { DatasetError } from "../../datasets/types.ts";
import { assert, assertEquals, assertNotEquals, assertRejects } from "../assert.ts";
import { permitted } from "../permitted.ts";
import { scratchPermitted, withScratch } from "../scratch.ts";
import { emptyFiles, writeImages } from "./made_images.ts";

const ignore = !scratchPermitted();

/** Runs the body on a folder of these files. */
function withFiles(paths: readonly string[], body: (root: string) => Promise<void>): Promise<void> {
  return withScratch(async (folder) => {
    await writeImages(folder, emptyFiles(paths));
    await body(folder);
  });
}

const read = (root: string, options: Partial<ImageFolderOptions> = {}) =>
  readImageFolder({ name: "imagefolder", root, ...options });

/** `count` files of each class, such as `train/a/3.jpg`. */
const files = (classes: string, count: number) =>
  classes.split(" ").flatMap((name) =>
    Array.from({ length: count }, (_, index) => `${name}/${index}.jpg`)
  );

Deno.test({
  name: "readImageFolder() lists train and val as torchvision's ImageFolder does",
  ignore,
  fn: () =>
    // Python sorts by code points: upper case first, and U+1F600 behind U+FF01.
    withFiles([
      "train/b/2.JPEG",
      "train/b/10.png",
      "train/b/readme.txt",
      "train/b/thumb.gif",
      "train/Z/x.webp",
      "train/😀/x.bmp",
      "train/！/x.tif",
      "train/notes.md",
      "val/b/1.jpg",
      "val/Z/1.jpg",
      "other/c/1.jpg",
    ], async (root) => {
      const data = await read(`${root}/`);
      assertEquals(data.classes, ["Z", "b", "！", "😀"]);
      assertEquals(data.train.paths, ["Z/x.webp", "b/10.png", "b/2.JPEG", "！/x.tif", "😀/x.bmp"]);
      assertEquals([...data.train.labels], [0, 1, 1, 2, 3]);
      assertEquals(data.test, {
        root: `${root}/val`,
        paths: ["Z/1.jpg", "b/1.jpg"],
        labels: Int32Array.of(0, 1),
        count: 2,
      });
      assertEquals(data.mean, [0.485, 0.456, 0.406]);
    }),
});

Deno.test({
  name: "readImageFolder() shares one folder out class by class, by the seed",
  ignore,
  fn: () =>
    withFiles([...files("a", 10), ...files("b", 4), ...files("c", 2)], async (root) => {
      const data = await read(root, { valShare: 0.25 });
      const counts = (labels: Int32Array) =>
        [0, 1, 2].map((label) => labels.filter((it) => it === label).length);
      assertEquals(counts(data.test.labels), [3, 1, 1]);
      assertEquals(counts(data.train.labels), [7, 3, 1]);
      const all = [...data.train.paths, ...data.test.paths].sort();
      assertEquals(all, [...files("a", 10), ...files("b", 4), ...files("c", 2)].sort());
      assertEquals(await read(root, { valShare: 0.25 }), data);
      assertNotEquals((await read(root, { valShare: 0.25, seed: 1 })).test.paths, data.test.paths);
    }),
});

Deno.test({
  name: "readImageFolder() draws classes, and training images of each, by the seed",
  ignore,
  fn: () =>
    withFiles([
      ...files("train/a train/b train/c train/d train/e", 6),
      ...files("val/a val/b val/c val/d val/e", 2),
    ], async (root) => {
      const data = await read(root, { classes: 3, perClass: 4, seed: 5 });
      assertEquals(data.classes.length, 3);
      assertEquals(data.classes, [...data.classes].sort());
      assertEquals([data.train.count, data.test.count], [12, 6]);
      data.train.paths.forEach((path, index) => {
        assertEquals(path.split("/")[0], data.classes[data.train.labels[index]]);
      });
      const drawn = (classes: readonly string[]) => classes.join("");
      const others = await Promise.all(
        [1, 2, 3, 4].map((seed) => read(root, { classes: 3, seed })),
      );
      assert(new Set([data, ...others].map((it) => drawn(it.classes))).size > 1);
      // The images of a class stay the same with more classes.
      const more = await read(root, { perClass: 4, seed: 5 });
      assert(data.train.paths.every((path) => more.train.paths.includes(path)));
      await assertRejects(() => read(root, { classes: 6 }), DatasetError, "it has 5");
    }),
});

const REFUSED: [
  name: string,
  paths: string[],
  options: Partial<ImageFolderOptions>,
  why: string,
][] = [
  ["val is missing", files("train/a", 1), {}, "no folder val;"],
  ["train and val are missing", files("a b", 2), {}, "no folder train and no val; want"],
  ["there is no class", ["train/1.jpg", "val/1.jpg"], {}, "holds no class folders"],
  [
    "classes have no image",
    [...files("train/a val/a", 1), "train/b/x.txt", "train/c/x.txt"],
    {},
    "no image lies in the class folders b, c",
  ],
  [
    "a class of val has no image",
    [...files("train/a train/b val/a", 1), "val/b/x.txt"],
    {},
    "no image lies in the class folders b",
  ],
  [
    "val has classes that train lacks",
    files("train/a val/a val/x val/y", 1),
    {},
    "val has classes that train lacks: x, y",
  ],
  [
    "folders are nested",
    files("train/a train/a/deep val/a", 1),
    {},
    "it is a class's folder and holds another, deep",
  ],
  [
    "train and val are to be shared out",
    files("train/a val/a", 2),
    { valShare: 0.5 },
    "leave out --val-share",
  ],
  [
    "a class is too small to be shared out",
    [...files("a", 2), ...files("b c", 1)],
    { valShare: 0.5 },
    "got one of b, c",
  ],
];

for (const [name, paths, options, why] of REFUSED) {
  Deno.test({
    name: `readImageFolder() throws when ${name}`,
    ignore,
    fn: () =>
      withFiles(paths, async (root) => {
        const { message } = await assertRejects(() => read(root, options), DatasetError, why);
        assert(!message.includes("\n"), message);
      }),
  });
}

Deno.test({
  name: "readImageFolder() throws when the folder is missing or a file",
  ignore,
  fn: () =>
    withFiles(["file"], async (root) => {
      await assertRejects(() => read(`${root}/nothing`), DatasetError, "there is no such file");
      await assertRejects(() => read(`${root}/file`), DatasetError, `Cannot read ${root}/file`);
    }),
});

Deno.test({
  name: "readImageFolder() throws when a number is out of range",
  ignore,
  fn: async () => {
    for (const options of [{ valShare: 0 }, { valShare: 1 }, { classes: 0 }, { perClass: 1.5 }]) {
      await assertRejects(() => read(".", options), RangeError, "want");
    }
  },
});

/** Makes a link in a process of its own, since a link may lead anywhere and so needs every permission. */
async function link(target: string, path: string): Promise<void> {
  const code = `Deno.symlinkSync(${JSON.stringify(target)}, ${JSON.stringify(path)})`;
  const { success } = await new Deno.Command(Deno.execPath(), { args: ["eval", code] }).output();
  assert(success);
}

Deno.test({
  name:
    "readImageFolder() follows links inside the folder, and throws when one leaves it or is broken",
  ignore: ignore || !permitted({ run: [Deno.execPath()] }),
  fn: () =>
    withFiles(files("in/train/a in/val/a out/b", 1), async (folder) => {
      const root = `${folder}/in`, place = `${root}/train/b`;
      const target = await Deno.realPath(folder);
      await link(`${target}/in/train/a`, place);
      assertEquals((await read(root)).train.paths, ["a/0.jpg", "b/0.jpg"]);
      for (
        const [wrong, why] of [
          [`${target}/out/b`, "it leads out of"],
          ["/etc", "it leads out of"],
          [`${target}/in/gone`, "Cannot follow the link"],
        ]
      ) {
        await Deno.remove(place);
        await link(wrong, place);
        await assertRejects(() => read(root), DatasetError, why);
      }
    }),
});
