/** Writes a made-up ImageNet into the folder named on the command line, for `.ci/run`. */

import { writeTree } from "./made_tree.ts";

await writeTree(Deno.args[0]);
