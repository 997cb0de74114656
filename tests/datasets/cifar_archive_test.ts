/** Tests of loading from the published forms, on small likenesses of them, and of damaged ones. */

import { loadFromPath } from "../../datasets/cifar_archive.ts";
import type { CifarTable } from "../../datasets/cifar_tables.ts";
import { md5Of } from "../../datasets/digest.ts";
import { DatasetError } from "../../datasets/types.ts";
import { assertEquals, assertRejects } from "../assert.ts";
import { scratchPermitted, withScratch } from "../scratch.ts";
import { type LookAlike, makeLookAlikes, pack, writeUnpacked } from "./look_alike.ts";
import { pickleDictionary } from "./python_pickle.ts";

const ignore = !scratchPermitted();
const sets = {
  cifar10: await makeLookAlikes("cifar10"),
  cifar100: await makeLookAlikes("cifar100"),
};
const { table, train, test, forms } = sets.cifar10;

/** A test that gets an empty folder. */
function fileTest(name: string, body: (folder: string) => Promise<void>): void {
  Deno.test({ name, ignore, fn: () => withScratch(body) });
}

/** Loads, and wants one error with these words. */
async function assertRefused(path: string, words: string, wanted: CifarTable = table) {
  const tables = Object.values(sets).map((set) => set.table);
  const load = () => loadFromPath(path, { table: wanted, tables });
  const { message } = await assertRejects(load, DatasetError, words);
  assertEquals(message.split("\n").length, 1);
}

/** The table with another digest for a changed archive, so that what is inside is reached. */
function accepting(form: LookAlike, bytes: Uint8Array): CifarTable {
  const archive = { ...form.archive, md5: md5Of(bytes), size: bytes.length };
  return { ...table, archives: [archive] };
}

for (const [name, set] of Object.entries(sets)) {
  for (const [format, form] of Object.entries(set.forms)) {
    const expected = { train: set.train, test: set.test };

    fileTest(
      `loadFromPath() loads the ${name} ${format} archive under any name`,
      async (folder) => {
        await Deno.writeFile(`${folder}/renamed`, form.bytes);
        assertEquals(await loadFromPath(`${folder}/renamed`, { table: set.table }), expected);
      },
    );

    fileTest(
      `loadFromPath() loads a folder that holds the ${name} ${format} archive`,
      async (folder) => {
        await Deno.writeFile(`${folder}/${form.archive.name}`, form.bytes);
        assertEquals(await loadFromPath(folder, { table: set.table }), expected);
      },
    );

    fileTest(
      `loadFromPath() loads the unpacked ${name} ${format} folder or its parent`,
      async (folder) => {
        const unpacked = await writeUnpacked(folder, form);
        assertEquals(await loadFromPath(unpacked, { table: set.table }), expected);
        assertEquals(await loadFromPath(`${folder}/`, { table: set.table }), expected);
      },
    );
  }
}

fileTest("loadFromPath() throws when there is nothing", async (folder) => {
  await assertRefused(`${folder}/absent`, "absent: there is no such file or folder");
  await assertRefused(folder, `Cannot find CIFAR-10 in ${folder}: want cifar-10-binary.tar.gz`);
});

fileTest("loadFromPath() throws when the archive's digest is wrong", async (folder) => {
  const { archive, bytes } = forms.binary, path = `${folder}/${archive.name}`;
  const changed = bytes.with(100, bytes[100] ^ 1);
  await Deno.writeFile(path, changed);
  await assertRefused(
    path,
    `Cannot use ${path}: want ${archive.name} with MD5 ${archive.md5} and ${archive.size} bytes, ` +
      `got MD5 ${md5Of(changed)} and ${archive.size} bytes`,
  );
});

fileTest("loadFromPath() throws when the archive is truncated", async (folder) => {
  for (const [format, form] of Object.entries(forms)) {
    const path = `${folder}/${format}`;
    for (const length of [0, 1, form.bytes.length >> 1, form.bytes.length - 1]) {
      await Deno.writeFile(path, form.bytes.subarray(0, length));
      await assertRefused(path, `and ${length} bytes`);
    }
  }
});

fileTest("loadFromPath() throws when the archive is of the other data set", async (folder) => {
  const path = `${folder}/data.tar.gz`;
  await Deno.writeFile(path, sets.cifar100.forms.python.bytes);
  await assertRefused(
    path,
    `Cannot load CIFAR-10 from ${path}: it is CIFAR-100, cifar-100-python.tar.gz`,
  );
  await writeUnpacked(folder, sets.cifar100.forms.binary);
  await assertRefused(folder, "Cannot find CIFAR-10");
});

fileTest(
  "loadFromPath() throws when gzip or tar ends early in an accepted archive",
  async (folder) => {
    const path = `${folder}/archive`, { bytes } = forms.binary;
    const gzipEnds = bytes.slice(0, bytes.length >> 1);
    await Deno.writeFile(path, gzipEnds);
    await assertRefused(
      path,
      `Cannot unpack ${path}: it is truncated or damaged`,
      accepting(forms.binary, gzipEnds),
    );
    const tar = await new Response(
      new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip")),
    ).bytes();
    const half = new Blob([tar.subarray(0, tar.length >> 1)]).stream();
    const tarEnds = await new Response(half.pipeThrough(new CompressionStream("gzip"))).bytes();
    await Deno.writeFile(path, tarEnds);
    await assertRefused(path, `Cannot unpack ${path}`, accepting(forms.binary, tarEnds));
  },
);

fileTest("loadFromPath() throws when an accepted archive lacks a file", async (folder) => {
  const files = new Map(forms.python.files);
  files.delete("data_batch_3");
  const bytes = await pack(forms.python.archive.folder, files), path = `${folder}/archive`;
  await Deno.writeFile(path, bytes);
  await assertRefused(
    path,
    `Cannot use ${path}: it does not hold cifar-10-batches-py/data_batch_3`,
    accepting(forms.python, bytes),
  );
});

fileTest(
  "loadFromPath() throws when an unpacked file is missing, changed or short",
  async (folder) => {
    for (const form of Object.values(forms)) {
      const unpacked = await writeUnpacked(folder, form);
      const name = form.archive.train[1].name, path = `${unpacked}/${name}`;
      const bytes = form.files.get(name)!;
      await Deno.writeFile(path, bytes.with(5000, bytes[5000] ^ 1));
      await assertRefused(unpacked, `Cannot use ${path}: want MD5 ${md5Of(bytes)}, got`);
      await Deno.writeFile(path, bytes.subarray(0, 4000));
      await assertRefused(unpacked, `Cannot use ${path}: want`);
      await Deno.remove(path);
      await assertRefused(unpacked, `Cannot read ${path}: there is no such file or folder`);
    }
  },
);

fileTest(
  "loadFromPath() throws when a label is out of range and no digest is known",
  async (folder) => {
    const form = forms.binary, unpacked = await writeUnpacked(folder, form);
    const withoutDigests = form.archive.train.map(({ name, images }) => ({ name, images }));
    const archives = [{ ...form.archive, train: withoutDigests }];
    const { name } = form.archive.train[2], path = `${unpacked}/${name}`;
    await Deno.writeFile(path, form.files.get(name)!.with(0, 10));
    await assertRefused(
      unpacked,
      `Cannot use ${path}: image 6 has label 10, but CIFAR-10 has 10 classes`,
      { ...table, archives },
    );
  },
);

fileTest("loadFromPath() throws when a pickle does not hold a data set", async (folder) => {
  const form = forms.python, unpacked = await writeUnpacked(folder, form);
  const archives = [{ ...form.archive, train: [{ name: "data_batch_1", images: 3 }] }];
  const path = `${unpacked}/data_batch_1`, data = new Uint8Array(3 * 3072);
  const cases: [Uint8Array, string][] = [
    [Uint8Array.of(1, 2), `Cannot read ${path} as a pickle: it is not a pickle of protocol 2`],
    [
      form.files.get("data_batch_1")!.subarray(0, 5000),
      "as a pickle: it is truncated at byte 5000",
    ],
    [pickleDictionary({ labels: [1, 2, 3] }), "want `data` of shape [3, 3072], got none"],
    [
      pickleDictionary({ data: { rows: 2, columns: 3072, data: data.subarray(3072) } }),
      "want `data` of shape [3, 3072], got [2, 3072]",
    ],
    [
      pickleDictionary({ data: { rows: 3, columns: 3072, data }, labels: [1, 2] }),
      "want 3 `labels`, got 2",
    ],
    [
      pickleDictionary({ data: { rows: 3, columns: 3072, data }, labels: [1, 2, "three"] }),
      "image 2 has label three",
    ],
  ];
  for (const [bytes, words] of cases) {
    await Deno.writeFile(path, bytes);
    await assertRefused(unpacked, words, { ...table, archives });
  }
});

Deno.test("makeLookAlikes() makes images that differ, so that their order is tested", () => {
  assertEquals([train.count, test.count], [15, 3]);
  const { train: one } = sets.cifar100;
  assertEquals(new Set(one.images.subarray(0, 3072)).size > 200, true);
});
