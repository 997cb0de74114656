/** Tests of the list of backends: adapters found and missing, and its text. */

import {
  backendsText,
  listAdapters,
  type ListedDevice,
  listedLibraries,
} from "../../backends/list.ts";
import { type AdapterChoice, BackendError } from "../../backends/contract.ts";
import type { AdapterDescription } from "../../backends/webgpu/device.ts";
import { assertEquals, assertRejects, assertStringIncludes } from "../assert.ts";

const LIMITS: AdapterDescription["limits"] = {
  maxBufferSize: 2147483648,
  maxStorageBufferBindingSize: 134217728,
  maxStorageBuffersPerShaderStage: 8,
  maxComputeWorkgroupStorageSize: 32768,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupSizeX: 256,
  maxComputeWorkgroupsPerDimension: 65535,
};

function adapter(name: string, software = false): AdapterDescription {
  return { name, vendor: software ? "65541" : "4318", software, limits: LIMITS, features: ["a"] };
}

/** Opens the adapters given by choice; for the others there is none. */
function opener(adapters: Partial<Record<AdapterChoice, AdapterDescription>>) {
  return (choice: AdapterChoice) => {
    const found = adapters[choice];
    if (found) return Promise.resolve(found);
    const which = choice === "software" ? "software adapter" : "adapter";
    return Promise.reject(new BackendError("webgpu", `Cannot use WebGPU: no ${which}`));
  };
}

function choicesOf({ details }: ListedDevice): string[] | undefined {
  return details.find(([label]) => label === "--adapter")?.[1];
}

Deno.test("listAdapters() lists each adapter once, with the choices that give it", async () => {
  const card = adapter("card");
  const listed = await listAdapters(
    opener({ "high-performance": card, "low-power": { ...card }, software: adapter("cpu", true) }),
  );
  assertEquals(listed.map(({ title }) => title), ["card", "cpu"]);
  assertEquals(listed.map(choicesOf), [["high-performance, low-power"], ["software"]]);
  assertEquals(listed.map(({ details }) => details.slice(0, 2)), [
    [["vendor", ["NVIDIA"]], ["kind", ["GPU"]]],
    [["vendor", ["Mesa"]], ["kind", ["software"]]],
  ]);
});

Deno.test("listAdapters() says why a choice has no adapter, once where there is none at all", async () => {
  const card = adapter("card");
  const some = await listAdapters(opener({ "high-performance": card, "low-power": card }));
  assertEquals(some[1], {
    title: "Cannot use WebGPU: no software adapter",
    details: [["--adapter", ["software"]]],
  });
  assertEquals(await listAdapters(opener({})), [
    { title: "Cannot use WebGPU: no adapter", details: [] },
  ]);
  const broken = () => Promise.reject(new TypeError("a defect"));
  await assertRejects(() => listAdapters(broken), TypeError, "a defect");
});

Deno.test("listedLibraries() says where each library is from, with its version where it is open", () => {
  const found = ["libcuda.so.1", "libcublas.so.13", "libcublas.so.12"].map((library) => ({
    library,
    path: `/lib/${library}`,
    from: "CUDA_HOME",
  }));
  const versions = { cuda: "13.1", cudnn: "9.28.1", cublas: "13.2.0", nvrtc: "13.1" };
  assertEquals(listedLibraries("card", found, versions), {
    title: "card",
    details: [
      ["libcuda.so.1", ["13.1, from CUDA_HOME", "/lib/libcuda.so.1"]],
      ["libcublas.so.13", ["13.2.0, from CUDA_HOME", "/lib/libcublas.so.13"]],
      ["libcublas.so.12", ["from CUDA_HOME", "/lib/libcublas.so.12"]],
    ],
  });
  assertEquals(listedLibraries("no driver", found.slice(0, 1)).details, [
    ["libcuda.so.1", ["from CUDA_HOME", "/lib/libcuda.so.1"]],
  ]);
});

Deno.test("backendsText() aligns names, labels and figures, within 80 columns", async () => {
  const features = Array.from({ length: 12 }, (_, index) => `a-feature-called-${index}`);
  const card: AdapterDescription = { ...adapter("card"), features };
  const text = backendsText([
    {
      name: "cudnn",
      devices: [{ title: `Cannot use cudnn:${" missing".repeat(9)}`, details: [] }],
    },
    { name: "webgpu", devices: await listAdapters(opener({ "low-power": card })) },
    { name: "cpu", devices: [{ title: "2 threads", details: [] }] },
  ]);
  const lines = text.split("\n");
  assertEquals(lines.slice(0, 7), [
    `cudnn   Cannot use cudnn:${" missing".repeat(6)}`,
    `       ${" missing".repeat(3)}`,
    "",
    "webgpu  card",
    "        vendor     NVIDIA",
    "        kind       GPU",
    "        --adapter  low-power",
  ]);
  assertStringIncludes(
    text,
    [
      "        limits     maxBufferSize                      2,147,483,648",
      "                   maxStorageBufferBindingSize          134,217,728",
      "                   maxStorageBuffersPerShaderStage                8",
    ].join("\n"),
  );
  assertStringIncludes(text, "\n        Cannot use WebGPU: no adapter\n");
  assertEquals(lines.at(-2), "cpu     2 threads");
  assertEquals(lines.filter((line) => line.length > 80 || line !== line.trimEnd()), []);
});
