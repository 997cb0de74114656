/**
 * NVIDIA's libraries for this process: where they are, opened.
 *
 * The tasks of deno.json look for them in a process of its own, which may read every folder but opens
 * nothing: `PDARTS_CUDNN_FOUND=$(deno run -P=locate backends/cudnn/ffi/load.ts)`. The program then needs
 * no permission but `--allow-ffi`. Without that variable it looks itself, as far as it may read.
 */

import { BackendError } from "../../contract.ts";
import { discover, type Discovery } from "./discovery.ts";
import { type Libraries, openLibraries } from "./open.ts";
import { permittedVariable, thisSystem } from "./system.ts";

/** Where the libraries are, or why they cannot be used. */
export function located(): Discovery {
  const found = permittedVariable("PDARTS_CUDNN_FOUND");
  return found === undefined ? discover(thisSystem()) : JSON.parse(found);
}

/**
 * Opens the libraries.
 *
 * @throws {BackendError} If this process may not, some are missing, or they do not fit each other.
 */
export function loadLibraries(): Libraries {
  if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") {
    throw new BackendError(
      "cudnn",
      "Cannot use cudnn: no permission to open NVIDIA's libraries; start Deno with --allow-ffi",
    );
  }
  const { files, problem } = located();
  if (!files) throw new BackendError("cudnn", problem);
  return openLibraries(files);
}

if (import.meta.main) console.log(JSON.stringify(discover(thisSystem())));
