/** Finds WebGPU adapters and opens devices: what an adapter is, and why none can be used. */

import { type AdapterChoice, BackendError, type StorageType } from "../contract.ts";
import { granted } from "../permissions.ts";

/** Limits that decide how kernels split their work. */
const LIMITS = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupsPerDimension",
] as const;
/** Name of a limit. */
export type LimitName = typeof LIMITS[number];

/** Features that are used where an adapter has them. */
const FEATURES = ["timestamp-query"] as const satisfies readonly GPUFeatureName[];

/** What a device is asked for besides its limits. */
export interface DeviceOptions {
  /** Smaller limits than the adapter's to work within, for tests. */
  limits?: Partial<Record<LimitName, number>>;
  /** Whether it must have subgroups; default false. */
  subgroups?: boolean;
  /** Whether it must have half floats, for "f16"; default "f32". */
  storage?: StorageType;
}

/** An adapter as people see it. */
export interface AdapterDescription {
  /** Such as `llvmpipe (LLVM 15.0.6, 256 bits)`. */
  name: string;
  vendor: string;
  /** True for a CPU that stands in for a GPU. */
  software: boolean;
  limits: Record<LimitName, number>;
  features: string[];
}

/** An open device and what it runs on. */
export interface OpenDevice {
  device: GPUDevice;
  info: GPUAdapterInfo;
  description: AdapterDescription;
}

/**
 * Asks for an adapter.
 *
 * @throws {BackendError} If there is no WebGPU, or no such adapter.
 */
export async function requestAdapter(choice: AdapterChoice): Promise<GPUAdapter> {
  if (!("gpu" in navigator) || !navigator.gpu) {
    throw new BackendError("webgpu", "Cannot use WebGPU: this Deno, or browser, has none");
  }
  quietenMesa();
  const adapter = await navigator.gpu.requestAdapter(
    choice === "software" ? { forceFallbackAdapter: true } : { powerPreference: choice },
  );
  if (!adapter) {
    throw new BackendError(
      "webgpu",
      choice === "software"
        ? "Cannot use WebGPU: no software adapter (on Debian: apt-get install mesa-vulkan-drivers)"
        : "Cannot use WebGPU: no adapter found; install the GPU's Vulkan driver, " +
          "or mesa-vulkan-drivers to run it on the CPU",
    );
  }
  return adapter;
}

/** Mesa's drivers complain on stderr where no desktop session has set this folder, which nobody needs. */
function quietenMesa(): void {
  const variable = "XDG_RUNTIME_DIR";
  if (!granted({ name: "env", variable })) return;
  if (!Deno.env.get(variable)) Deno.env.set(variable, "/tmp");
}

/**
 * Invocations of a workgroup on an adapter, within its limits. Kernels share nothing in a workgroup, so
 * that no result depends on it: 64 fill the subgroups of most GPUs, more are for those with wider ones.
 * On llvmpipe 32 to 256 take the same time within 3 %, and 8 take 8 % longer.
 */
export function workgroupSize(
  limits: AdapterDescription["limits"],
  { subgroupMaxSize }: Pick<GPUAdapterInfo, "subgroupMaxSize">,
): number {
  return Math.min(
    Math.max(64, subgroupMaxSize),
    limits.maxComputeInvocationsPerWorkgroup,
    limits.maxComputeWorkgroupSizeX,
  );
}

/** Says what an adapter is. Deno 2.9.6 leaves subgroups out of an adapter's features, and opens them. */
export function describeAdapter(adapter: GPUAdapter): AdapterDescription {
  const { info } = adapter;
  return {
    name: info.description || info.device || info.vendor || "unnamed adapter",
    vendor: info.vendor,
    software: (info as GPUAdapterInfo & { isFallbackAdapter?: boolean }).isFallbackAdapter === true,
    limits: Object.fromEntries(LIMITS.map((name) => [name, adapter.limits[name]])) as Record<
      LimitName,
      number
    >,
    features: [...adapter.features, ...(info.subgroupMaxSize ? ["subgroups"] : [])].sort(),
  };
}

/**
 * Opens a device with the adapter's own limits.
 *
 * @throws {BackendError} If there is no adapter, or it gives no device, or it has no subgroups or
 * half floats that are asked for.
 */
export async function openDevice(
  choice: AdapterChoice,
  { limits = {}, subgroups = false, storage = "f32" }: DeviceOptions = {},
): Promise<OpenDevice> {
  const adapter = await requestAdapter(choice), description = describeAdapter(adapter);
  Object.assign(description.limits, limits);
  if (subgroups && !description.features.includes("subgroups")) {
    throw new BackendError(
      "webgpu",
      `Cannot use subgroups: ${description.name} has none; leave out --subgroups`,
    );
  }
  if (storage === "f16" && !adapter.features.has("shader-f16")) {
    throw new BackendError(
      "webgpu",
      `Cannot store f16: ${description.name} has no half floats; leave out --storage`,
    );
  }
  const requiredFeatures: GPUFeatureName[] = FEATURES.filter((feature) =>
    adapter.features.has(feature)
  );
  if (subgroups) requiredFeatures.push("subgroups");
  if (storage === "f16") requiredFeatures.push("shader-f16");
  try {
    const device = await adapter.requestDevice({
      requiredFeatures,
      requiredLimits: description.limits,
    });
    return { device, info: adapter.info, description };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new BackendError("webgpu", `Cannot open ${description.name}: ${reason}`);
  }
}
