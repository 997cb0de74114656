/**
 * Our WebGPU backend and the one it is built on, tfjs-backend-webgpu itself, set up alike for
 * tfjs-core's specs; and the list of the specs that the latter fails. Another adapter or driver may have
 * another list.
 *
 * The specs reset tfjs between suites. Each suite gets a new backend on a new device, so that what a
 * failed spec leaves behind (tfjs-backend-webgpu throws at every submit after a failed `fromPixels`)
 * ends with its suite.
 */

import { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import {
  env,
  registerBackend,
  removeBackend,
  setBackend,
  version_core,
} from "@tensorflow/tfjs-core";
import {
  startWebGpuBackend,
  WEBGPU_BACKEND,
  WebGpuBackend,
} from "../../backends/webgpu/backend.ts";
import { openDevice } from "../../backends/webgpu/device.ts";

/** A backend under test. */
interface StartedBackend {
  tfjsName: string;
  description: string;
}

/** The list as committed, and as `--stock` writes it anew. */
const COMMITTED = new URL("webgpu_stock_failures.txt", import.meta.url);
const MADE = new URL("../../.cache/conformance/webgpu_stock_failures.txt", import.meta.url);

/** tfjs-backend-webgpu, which leaves its device open. */
class StockBackend extends WebGPUBackend {
  override dispose(): void {
    super.dispose();
    this.device.destroy();
  }
}

/** Starts a new backend, on a new device, whenever tfjs was reset. */
async function startAnew(
  tfjsName: string,
  create: (...open: [GPUDevice, GPUAdapterInfo, WebGpuBackend["limits"]]) => WebGPUBackend,
): Promise<string> {
  let name = "";
  removeBackend(tfjsName);
  registerBackend(tfjsName, async () => {
    const { device, info, description } = await openDevice("high-performance");
    name = description.name;
    env().set("WEBGPU_CPU_FORWARD", false);
    return create(device, info, description.limits);
  });
  await setBackend(tfjsName);
  return name;
}

/** Starts tfjs-backend-webgpu as it is. */
export async function startStock(): Promise<StartedBackend> {
  const name = await startAnew("webgpu", (device, info) => new StockBackend(device, info));
  return { tfjsName: "webgpu", description: `tfjs-backend-webgpu ${version_core}, ${name}` };
}

/** Starts our backend. */
export async function startOurs(): Promise<StartedBackend> {
  const { description } = await startWebGpuBackend(); // registers the kernels
  await startAnew(WEBGPU_BACKEND, (...open) => new WebGpuBackend(...open));
  return { tfjsName: WEBGPU_BACKEND, description };
}

/** Names of the specs that tfjs-backend-webgpu fails. */
export async function readStockFailures(): Promise<Set<string>> {
  const lines = (await Deno.readTextFile(COMMITTED)).split("\n");
  return new Set(lines.filter((line) => line !== "" && !line.startsWith("#")));
}

/** Writes a new list of them, to be copied over the committed one. */
export async function writeStockFailures(
  failures: ReadonlySet<string>,
  { description, summary }: { description: string; summary: string },
): Promise<void> {
  const lines = [
    `# The specs of tfjs-core ${version_core} that fail on ${description},`,
    `# with WEBGPU_CPU_FORWARD off, on Deno ${Deno.version.deno}: ${summary}.`,
    "# Made by",
    "#   deno task test:conformance:webgpu --stock",
    "#   cp .cache/conformance/webgpu_stock_failures.txt tests/conformance/",
    ...[...failures].sort(),
  ];
  await Deno.writeTextFile(MADE, lines.join("\n") + "\n");
  console.log(`Wrote ${MADE.pathname}`);
}
