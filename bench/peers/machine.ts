/** What this machine is made of, as results name it. */

import { cpus } from "node:os";
import type { Machine } from "./torch_server.ts";

/** Needs `--allow-sys=cpus,osRelease,systemMemoryInfo`. */
export function thisMachine(): Machine {
  const cores = cpus();
  return {
    cpu: cores[0]?.model ?? Deno.build.arch,
    cores: cores.length,
    memory_bytes: Deno.systemMemoryInfo().total,
    kernel: Deno.osRelease(),
  };
}
