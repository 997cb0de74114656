"""Makes the fixtures of the evaluation network for ImageNet, as make_network_fixtures.py does for CIFAR.

Run `python make_imagenet_fixtures.py [FOLDER]` (default: tests/fixtures/pytorch/imagenet). For each stored
genotype `<name>.safetensors` is a state dict and `<name>_expected.safetensors` holds pixels and logits;
`training_expected.safetensors` is of PDARTS.safetensors in training, `head_expected` of its auxiliary
head on a larger image, `authors.pth.tar` holds PDARTS's state without its head as the authors' program
writes it.

Images are 8-bit pixels, each repeated to a square and normalised, so that the files stay small.
"""

import functools
import json
import pathlib
import sys

import torch

import safetensors
from genotypes import GENOTYPES
from make_fixtures import STEPS, TOLERANCE, worst_error
from make_network_fixtures import (
    HEAD_SHAPE, HEAD_STRIDES, build, state_without_head, trained_copy, training_file, training_results,
)
from network import Network

FOLDER = pathlib.Path(__file__).parents[3] / "tests" / "fixtures" / "pytorch" / "imagenet"
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
SHAPE = dict(channels=4, layers=3, classes=4, imagenet=True)
BATCH, TRAINING_BATCH = 2, 3
SIDE = 32  # of the stored pixels
SMALL, LARGE = 2, 7  # how often a pixel is repeated along each side: images of 64 and of 224
ODD = (57, 37)  # height and width of a corner of the small images, whose halves are odd
EPOCHS = 8  # of the schedule; step i of the sequence is taken in epoch i
HEAD_INPUT = (2, 9, 11)  # batch, height and width of the larger image in front of the head
WHOLE_GRADIENTS = (
    "stem0.0.weight", "stem0.1.weight", "stem0.3.weight", "stem1.1.weight", "stem1.2.bias",
    "cells.0.preprocess0.conv_2.weight", "cells.0.preprocess0.bn.bias", "cells.1._ops.1.op.1.weight",
    "auxiliary_head.features.2.weight", "classifier.weight",
)


def random_pixels(*shape: int) -> torch.Tensor:
    return torch.randint(256, (*shape, SIDE, SIDE, 3), dtype=torch.uint8)


def images_of(pixels: torch.Tensor, repeat: int) -> torch.Tensor:
    """Normalised float32 images `[..., 3, S, S]` of pixels `[..., 32, 32, 3]`, S 32 times `repeat`."""
    values = (pixels.double() / 255 - torch.tensor(MEAN).double()) / torch.tensor(STD).double()
    images = values.movedim(-1, -3).float()
    return images.repeat_interleave(repeat, -2).repeat_interleave(repeat, -1)


def make_genotype(name: str, seed: int, folder: pathlib.Path) -> Network:
    """Write a genotype's network, the pixels of two images, and logits in evaluation mode."""
    net, storage = build(name, seed, SHAPE)
    pixels = random_pixels(BATCH)
    images = images_of(pixels, SMALL).double()
    reference = trained_copy(net, torch.float64).eval()
    with torch.no_grad():
        expected = {"pixels": pixels, "logits": reference(images)[0],
                    "odd_logits": reference(images[..., :ODD[0], :ODD[1]])[0]}
    safetensors.save(folder / f"{name}.safetensors", state_without_head(net, storage))
    safetensors.save(folder / f"{name}_expected.safetensors", expected)
    return net


def make_training(net: Network, seed: int, folder: pathlib.Path) -> dict:
    """Write training_expected.safetensors; returns its index row."""
    while True:
        torch.manual_seed(seed)
        pixels = random_pixels(STEPS, TRAINING_BATCH)
        labels = torch.randint(SHAPE["classes"], (STEPS, TRAINING_BATCH))
        results = functools.partial(training_results, net, images_of(pixels, LARGE), labels,
                                    epochs=EPOCHS, whole=WHOLE_GRADIENTS, drop_paths={"": None})
        want = results(torch.float64)
        error = worst_error(results(torch.float32), want)
        if error < TOLERANCE:
            break
        print(f"training: seed {seed}: float32 error {error:.1e}")
        seed += 1
    expected = training_file({"pixels": pixels, "labels": labels}, want)
    safetensors.save(folder / "training_expected.safetensors", expected)
    return {"seed": seed, "float32_error": error}


def make_head(net: Network, folder: pathlib.Path) -> None:
    """Write the auxiliary logits in training mode of an image, value i of which is sin(i) in NHWC."""
    head = trained_copy(net, torch.float64).auxiliary_head.train()
    shape = (*HEAD_INPUT, head.features[2].in_channels)
    x = torch.arange(torch.tensor(shape).prod(), dtype=torch.float64).sin().reshape(shape)
    with torch.no_grad():
        logits = head(x.movedim(-1, 1))
    safetensors.save(folder / "head_expected.safetensors", {"logits": logits})


def main() -> None:
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    nets = {name: make_genotype(name, 700 + index, folder) for index, name in enumerate(GENOTYPES)}
    net = nets["PDARTS"]
    training = make_training(net, 800, folder)
    make_head(net, folder)
    state = {f"module.{name}": tensor for name, tensor in net.state_dict().items()
             if not name.startswith("auxiliary_head.")}
    torch.save({"epoch": 3, "state_dict": state, "best_acc_top1": 75.5}, folder / "authors.pth.tar")
    sizes = dict(batch=BATCH, training_batch=TRAINING_BATCH, steps=STEPS, epochs=EPOCHS, side=SIDE,
                 small=SMALL, large=LARGE, odd=ODD, head_input=HEAD_INPUT)
    head = {"head_shape": HEAD_SHAPE, "head_strides": HEAD_STRIDES}
    index = {"torch": torch.__version__, "genotypes": list(GENOTYPES)}
    index |= SHAPE | sizes | head | {"training": training}
    (folder / "index.json").write_text(json.dumps(index) + "\n")
    print(f"training: {training}; together "
          f"{sum(file.stat().st_size for file in folder.iterdir()):,} bytes")


if __name__ == "__main__":
    main()
