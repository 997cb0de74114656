/**
 * The images that `bench/loading.ts` loads: JPEGs of 500x375, as most of ImageNet's are, cut out of the
 * photographs of the tests at many places and scales.
 */

import sharp from "sharp";
import { CounterRandom } from "../backends/random.ts";

const PHOTOGRAPHS = new URL("../tests/fixtures/images/photographs/", import.meta.url).pathname;
const NAMES = ["china.jpg", "rocket.jpg", "chelsea.png"];
const WIDTH = 500, HEIGHT = 375, QUALITY = 90;

/** The largest part of a photograph of that shape, made smaller by up to a half, anywhere in it. */
function cutOut(random: CounterRandom, { width, height }: { width: number; height: number }) {
  const scale = Math.min(width / WIDTH, height / HEIGHT) * (1 - random.uniform() / 2);
  const part = { width: Math.floor(WIDTH * scale), height: Math.floor(HEIGHT * scale) };
  const left = random.integer(width - part.width + 1);
  const top = random.integer(height - part.height + 1);
  return { ...part, left, top };
}

/**
 * Makes the images of two splits, each with a class of every photograph.
 *
 * @param folder Where; created if needed.
 * @param count Images of a split.
 */
export async function makeImages(folder: string, count: number): Promise<void> {
  const random = new CounterRandom(0);
  for (const part of ["train", "val"]) {
    for (let index = 0; index < count; index++) {
      const name = NAMES[index % NAMES.length];
      const target = `${folder}/${part}/${name.split(".")[0]}`;
      await Deno.mkdir(target, { recursive: true });
      const photograph = sharp(await Deno.readFile(`${PHOTOGRAPHS}${name}`));
      const { width, height } = await photograph.metadata();
      const jpeg = await photograph.extract(cutOut(random.fork(index), { width, height }))
        .resize(WIDTH, HEIGHT).jpeg({ quality: QUALITY }).toBuffer();
      await Deno.writeFile(`${target}/${index}.jpg`, jpeg);
    }
  }
}
