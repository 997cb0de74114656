/** Runs the whole search program in the test's own process, with a backend that no option sets. */

import type { Backend, BackendOptions } from "../../backends/contract.ts";
import type { MainProgram } from "../../nn/run_main.ts";
import { type SearchEnvironment, searchMain } from "../../search/search_main.ts";
import { loadSample } from "../datasets/sample.ts";

const program: MainProgram = {
  command: "tiny-search",
  run: "deno run",
  script: "tests/search/tiny_search.ts",
  folders: { read: ["/tmp"], write: ["/tmp"] },
};

/** Runs the program on the tests' images; resolves to its outcome. The backend is closed at its end. */
export async function searchHere(
  args: readonly string[],
  start: (options: BackendOptions) => Promise<Backend>,
  train: SearchEnvironment["train"] = () => Promise.reject(new Error("not asked for")),
): Promise<string> {
  let backend: Backend | undefined;
  try {
    return await searchMain(args, {
      program,
      output: { terminal: false, columns: () => 80, write: () => {} },
      startBackend: async (_name, options) => {
        backend = await start(options);
        return { backend, notTaken: [] };
      },
      loadData: () => Promise.resolve(loadSample()),
      train,
    });
  } finally {
    backend?.close();
  }
}
