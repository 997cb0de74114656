/** Where results of comparisons and profiles go. */

const RESULTS = new URL("results/", import.meta.url);

/** Writes `bench/results/<kind>_<date>.json`. */
export async function saveResult(kind: string, result: object): Promise<URL> {
  await Deno.mkdir(RESULTS, { recursive: true });
  const date = new Date().toISOString().slice(0, 19).replaceAll(":", "-");
  const file = new URL(`${kind}_${date}.json`, RESULTS);
  await Deno.writeTextFile(file, JSON.stringify(result, null, 2) + "\n");
  return file;
}
