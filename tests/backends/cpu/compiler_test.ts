/**
 * Tests of the kernels' cache: what is taken from it, and what is compiled again.
 *
 * A compilation takes seconds, so what need not compile starts from the cache that all tests share.
 */

import { cachedKernels, compileKernels } from "../../../backends/cpu/compiler.ts";
import { type CompiledKernels, hasRelaxedSimd } from "../../../backends/cpu/variants.ts";
import { assert, assertEquals, assertNotEquals } from "../../assert.ts";
import { permitted } from "../../permitted.ts";
import { withScratch } from "../../scratch.ts";

const SHARED = ".cache/kernels";
const PLAIN = { relaxed: false, wide: false };

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({
    name,
    ignore: !permitted({ read: ["."], write: [".cache"], env: ["CI"] }),
    fn,
  });
}

function exportsOf({ module }: CompiledKernels): string[] {
  return WebAssembly.Module.exports(module).map(({ name, kind }) => `${kind} ${name}`);
}

/** The binary of today's sources without relaxed SIMD, and its exports. */
async function plainKernels(): Promise<{ binary: Uint8Array; exports: string[] }> {
  const exports = exportsOf(await compileKernels(SHARED, PLAIN));
  return { binary: await Deno.readFile(await cachedKernels(SHARED, PLAIN)), exports };
}

function namesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name);
}

test("compileKernels() takes kernels of the same sources from the cache", async () => {
  const { binary, exports } = await plainKernels();
  await withScratch(async (folder) => {
    const path = await cachedKernels(folder, PLAIN);
    await Deno.writeFile(path, binary);
    await Deno.utime(path, 1000, 1000); // a file that is written again is of today
    assertEquals(exportsOf(await compileKernels(folder, PLAIN)), exports);
    assertEquals((await Deno.stat(path)).mtime, new Date(1000 * 1000));
    assertEquals(namesIn(folder).length, 1);
  });
});

test("compileKernels() compiles again where the cached file is damaged", async () => {
  const { binary, exports } = await plainKernels();
  await withScratch(async (folder) => {
    const path = await cachedKernels(folder, PLAIN);
    await Deno.writeFile(path, binary.subarray(0, binary.length >> 1));
    const compiled = await compileKernels(folder, PLAIN);
    assertEquals([compiled.relaxed, exportsOf(compiled)], [false, exports]);
    assertEquals(await Deno.readFile(path), binary, "the same sources give the same bytes");
    assertEquals(namesIn(folder).length, 1);
  });
});

test("compileKernels() works without a cache folder that it can make", async () => {
  const { exports } = await plainKernels();
  await withScratch(async (folder) => {
    await Deno.writeTextFile(`${folder}/file`, "");
    assertEquals(exportsOf(await compileKernels(`${folder}/file/kernels`, PLAIN)), exports);
    assertEquals(namesIn(folder), ["file"]);
  });
});

test("compileKernels() leaves no draft where the binary cannot be written", async () => {
  const { exports } = await plainKernels();
  await withScratch(async (folder) => {
    const path = await cachedKernels(folder, PLAIN);
    await Deno.mkdir(path);
    assertEquals(exportsOf(await compileKernels(folder, PLAIN)), exports);
    assertEquals(namesIn(folder).map((name) => `${folder}/${name}`), [path]);
  });
});

test("kernels with and without relaxed SIMD have files of their own", async () => {
  const [relaxed, plain] = await Promise.all(
    [true, false].map((relaxed) => cachedKernels(SHARED, { relaxed, wide: false })),
  );
  assertNotEquals(relaxed, plain);
});

test("hasRelaxedSimd() says whether the engine takes the relaxed kernels", async () => {
  await compileKernels(SHARED, { relaxed: true, wide: false }).catch(() => {}); // written even if not taken
  const binaryOf = async (relaxed: boolean) =>
    await Deno.readFile(await cachedKernels(SHARED, { relaxed, wide: false }));
  assertEquals(WebAssembly.validate(await binaryOf(true)), hasRelaxedSimd());
  await compileKernels(SHARED, PLAIN);
  assert(WebAssembly.validate(await binaryOf(false)));
});
