"""Makes the fixtures of the evaluation network: reference numbers, and weights in PyTorch's formats.

Run `python make_network_fixtures.py [FOLDER]` (default: tests/fixtures/pytorch/evaluation). For each
stored genotype `<name>.safetensors` is a state dict, `<name>_expected.safetensors` holds images and
logits; `training_*` are of PDARTS in training; the `.pt` files hold `training.safetensors`'s state in
each form that PyTorch and its users write. index.json says what the networks are; README.md the rest.

References are computed in float64 from float32 values, then rounded to float32; the seed is the first
at which a float32 run agrees with them within TOLERANCE.

The head's 2x2 convolution has 393,216 weights whatever the network, so it is a view that repeats a
short storage (see `share_head_storage`): torch.save keeps storage and strides, and the safetensors
hold that storage under STORAGE instead of the weights.
"""

import copy
import functools
import json
import pathlib
import sys

import torch
from torch import nn

import safetensors
from genotypes import GENOTYPES
from make_fixtures import STEPS, TOLERANCE, running, worst_error
from network import DropPath, Network
from network_step import NetworkTrainer

FOLDER = pathlib.Path(__file__).parents[3] / "tests" / "fixtures" / "pytorch" / "evaluation"
HEAD = "auxiliary_head.features.5.weight"
STORAGE = HEAD + ".storage"
HEAD_SHAPE, HEAD_STRIDES = (768, 128, 2, 2), (1, 7, 3, 11)
SHAPE = dict(channels=4, layers=4)
BATCH, TRAINING_BATCH = 2, 5
EPOCHS = 4  # of the cosine; step i of the sequence is taken in epoch i
DROP_RATE = 0.25
WHOLE_GRADIENTS = (
    "stem.0.weight", "stem.1.weight", "cells.1.preprocess1.op.1.weight", "cells.2._ops.1.op.1.weight",
    "cells.2.preprocess0.conv_2.weight", "auxiliary_head.features.2.weight", "classifier.weight",
)


def share_head_storage(net: Network) -> torch.Tensor:
    """Make weight [o, i, y, x] of the head's 2x2 convolution storage[o + 7 i + 3 y + 11 x]."""
    size = 1 + sum((side - 1) * stride for side, stride in zip(HEAD_SHAPE, HEAD_STRIDES))
    storage = (torch.rand(size) - 0.5) / 8
    net.auxiliary_head.features[5].weight.data = storage.as_strided(HEAD_SHAPE, HEAD_STRIDES)
    return storage


def randomise(net: Network) -> None:
    """Batch norms away from the special values that would hide a mistake."""
    for norm in net.modules():
        if isinstance(norm, nn.BatchNorm2d):
            nn.init.uniform_(norm.weight, 0.5, 1.5)
            nn.init.uniform_(norm.bias, -0.5, 0.5)
            norm.running_mean.uniform_(-0.5, 0.5)
            norm.running_var.uniform_(0.5, 1.5)
            norm.num_batches_tracked.fill_(7)


def build(name: str, seed: int, shape: dict) -> tuple[Network, torch.Tensor]:
    torch.manual_seed(seed)
    net = Network(GENOTYPES[name], **shape)
    randomise(net)
    return net, share_head_storage(net)


def trained_copy(net: Network, dtype) -> Network:
    """The network in a type, with a head of its own memory, since overlapping weights do not train."""
    net = copy.deepcopy(net).to(dtype)
    head = net.auxiliary_head.features[5].weight
    head.data = head.data.clone(memory_format=torch.contiguous_format)
    return net


def state_without_head(net: Network, storage: torch.Tensor) -> dict[str, torch.Tensor]:
    """The state dict, in its order, with the head's storage in place of its weights."""
    return {STORAGE if n == HEAD else n: storage if n == HEAD else t
            for n, t in net.state_dict().items()}


def nhwc(images: torch.Tensor) -> torch.Tensor:
    return images.movedim(-3, -1)


def make_genotype(name: str, seed: int, folder: pathlib.Path) -> int:
    """Write a genotype's network, two images and their logits in evaluation mode."""
    net, storage = build(name, seed, SHAPE)
    images = torch.randn(BATCH, 3, 32, 32)
    size = safetensors.save(folder / f"{name}.safetensors", state_without_head(net, storage))
    with torch.no_grad():
        logits, _ = trained_copy(net, torch.float64).eval()(images.double())
    expected = {"images": nhwc(images), "logits": logits}
    return size + safetensors.save(folder / f"{name}_expected.safetensors", expected)


def keep_masks(net: Network) -> dict[tuple[int, int], torch.Tensor]:
    """For every operation but identities: which images of a batch drop path keeps."""
    return {(cell.index, index): torch.empty(TRAINING_BATCH).bernoulli_(1 - DROP_RATE)
            for cell in net.cells for index, op in enumerate(cell._ops)
            if not isinstance(op, nn.Identity)}


def training_results(net: Network, images, labels, dtype, *, epochs: int, whole: tuple[str, ...],
                     drop_paths: dict[str, DropPath | None]) -> dict[str, dict[str, torch.Tensor]]:
    """Every reference value of training: group -> name -> tensor.

    A pass is made with each of the drop paths, whose names precede its groups'; `whole` names the
    gradients that are kept whole.
    """
    images = images.to(dtype)
    groups = {}
    for prefix, drop_path in drop_paths.items():
        trainer = NetworkTrainer(trained_copy(net, dtype), epochs=epochs)
        logits, auxiliary, loss = trainer.gradients(images[0], labels[0], drop_path)
        gradients = {name: p.grad for name, p in trainer.net.named_parameters()}
        groups[prefix + "logits"] = {"": logits}
        groups[prefix + "auxiliary"] = {"": auxiliary}
        groups[prefix + "loss"] = {"": torch.tensor([loss], dtype=dtype)}
        groups[prefix + "gradient_norms"] = {"": torch.stack([g.norm() for g in gradients.values()])}
        groups[prefix + "gradient"] = {name: gradients[name] for name in whole}
        groups[prefix + "running"] = running(trainer.net)
    trainer = NetworkTrainer(trained_copy(net, dtype), epochs=epochs)
    for step in range(STEPS):
        trainer.begin_epoch(step)
        trainer.step(images[step], labels[step])
    weights = dict(trainer.net.named_parameters())
    groups["steps.weights"] = {n: p for n, p in weights.items() if n != HEAD}
    groups["steps.head_norm"] = {"": weights[HEAD].norm().reshape(1)}
    groups["steps.running"] = running(trainer.net)
    groups["steps.logits"] = {"": trainer.evaluate(images[0])}
    return groups


def training_file(expected: dict[str, torch.Tensor], want: dict[str, dict[str, torch.Tensor]]) -> dict:
    """What a file holds of training: inputs, whole gradients, and all other groups as one vector each."""
    for group, tensors in want.items():
        if group.endswith("gradient"):
            expected |= {f"{group}.{name}": tensor for name, tensor in tensors.items()}
        else:
            expected[group] = torch.cat([t.detach().reshape(-1) for t in tensors.values()])
    return expected


def make_training(seed: int, folder: pathlib.Path) -> tuple[Network, dict]:
    """Write training.safetensors and training_expected.safetensors; the network, and its index row."""
    while True:
        net, storage = build("PDARTS", seed, SHAPE)
        images = torch.randn(STEPS, TRAINING_BATCH, 3, 32, 32)
        labels = torch.randint(10, (STEPS, TRAINING_BATCH))
        masks = keep_masks(net)
        drop_paths = {"": None, "drop_path.": DropPath(DROP_RATE, masks)}
        results = functools.partial(training_results, net, images, labels, epochs=EPOCHS,
                                    whole=WHOLE_GRADIENTS, drop_paths=drop_paths)
        want = results(torch.float64)
        error = worst_error(results(torch.float32), want)
        if error < TOLERANCE:
            break
        print(f"training: seed {seed}: float32 error {error:.1e}")
        seed += 1
    expected = {"images": nhwc(images), "labels": labels}
    expected |= {f"drop_path.keep.{cell}.{op}": mask for (cell, op), mask in masks.items()}
    safetensors.save(folder / "training.safetensors", state_without_head(net, storage))
    safetensors.save(folder / "training_expected.safetensors", training_file(expected, want))
    return net, {"seed": seed, "float32_error": error}


def make_torch_files(net: Network, folder: pathlib.Path) -> None:
    """The same weights in each form that PyTorch and its users write."""
    state = net.state_dict()
    bare = {name: tensor for name, tensor in state.items() if not name.startswith("auxiliary_head.")}
    trainer = NetworkTrainer(net, epochs=EPOCHS)
    wrapped = {"epoch": 3, "state_dict": bare, "best_acc_top1": 97.5,
               "optimizer": trainer.sgd.state_dict()}
    torch.save(state, folder / "zip.pt")
    torch.save(state, folder / "legacy.pt", _use_new_zipfile_serialization=False)
    torch.save(bare, folder / "without_head.pt")
    torch.save(wrapped, folder / "wrapped.pth.tar")
    torch.save({f"module.{name}": tensor for name, tensor in bare.items()}, folder / "module_prefix.pt")


def main() -> None:
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    for index, name in enumerate(GENOTYPES):
        print(f"{name}: {make_genotype(name, 500 + index, folder):,} bytes")
    net, training = make_training(600, folder)
    make_torch_files(net, folder)
    sizes = dict(batch=BATCH, training_batch=TRAINING_BATCH, steps=STEPS, epochs=EPOCHS)
    head = {"head_shape": HEAD_SHAPE, "head_strides": HEAD_STRIDES}
    index = {"torch": torch.__version__, "classes": 10, "genotypes": list(GENOTYPES)}
    index |= SHAPE | sizes | head | {"drop_rate": DROP_RATE, "training": training}
    (folder / "index.json").write_text(json.dumps(index) + "\n")
    print(f"training: {training}; together "
          f"{sum(file.stat().st_size for file in folder.iterdir()):,} bytes")


if __name__ == "__main__":
    main()
