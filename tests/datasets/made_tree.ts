/** A made-up ImageNet: a few classes of tiny images, under the names of ImageNet's folders. */

import { permitted } from "../permitted.ts";
import { type MadeImage, writeImages } from "./made_images.ts";

/** Classes of the tree, in the order of their names. */
export const TREE_CLASSES = ["n01440764", "n01443537", "n01484850"] as const;
/** Images of each class in train/ and in val/. */
const IMAGES = { train: 6, val: 3 } as const;

/** Whether programs may read such a tree here. */
export function treePermitted(): boolean {
  return permitted({
    read: [".", "/tmp", "/usr/bin/ldd"],
    write: [".cache", "/tmp"],
    env: ["CI", "MALLOC_ARENA_MAX", "npm_package_config_libvips"],
    ffi: true,
  });
}

/** Stripes whose colour tells the class and whose width the image. */
function stripes(label: number, index: number): MadeImage {
  const side = 24 + 5 * index, width = 2 + index;
  return {
    side,
    colour: (row, column) => {
      const bright = Math.floor((row + column) / width) % 2 === 0 ? 230 : 90;
      return [0, 1, 2].map((channel) => channel === label ? bright : 40) as [
        number,
        number,
        number,
      ];
    },
  };
}

/**
 * Writes the tree.
 *
 * @param classes Names of the classes; by default ImageNet's.
 * @param others Files besides, by their paths below the folder.
 */
export async function writeTree(
  folder: string,
  { classes = TREE_CLASSES, others = {} }: {
    classes?: readonly string[];
    others?: Readonly<Record<string, MadeImage>>;
  } = {},
): Promise<void> {
  const images: Record<string, MadeImage> = {};
  for (const [part, count] of Object.entries(IMAGES)) {
    for (const [label, name] of classes.entries()) {
      for (let index = 0; index < count; index++) {
        images[`${part}/${name}/${name}_${index}.png`] = stripes(label, index);
      }
    }
  }
  await writeImages(folder, { ...images, ...others });
}
