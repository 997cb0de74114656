"""Learns at a small scale on real CIFAR-10, as bench/learning.ts does with ours, for comparison.

`python learn.py network|search CONFIG` takes the config as JSON (see bench/learning_ours.ts) and prints one
line of JSON: {"accuracy": ..., "loss": ...}, and of a search also {"normal": ..., "reduce": ...}, the last
stage's alphas as softmax weights beside the primitives kept. Data are the raw arrays in .cache/cifar10 that
any search leaves there.
"""

import json
import math
import pathlib
import sys

import torch
from torch import nn
from torch.nn import functional as F

from genotypes import GENOTYPES
from network import Network
from network_step import NetworkTrainer
from step import LEARNING_RATE, Trainer
from supernet import EDGES, PRIMITIVES, Supernet

DATA = pathlib.Path(__file__).parents[3] / ".cache" / "cifar10"
MEAN = torch.tensor([0.49139968, 0.48215827, 0.44653124])
STD = torch.tensor([0.24703233, 0.24348505, 0.26158768])
SIZE, PADDING = 32, 4
SKIP_DROPOUT_DECAY = 0.2


def load(split: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Images `[N, 32, 32, 3]` uint8 and labels `[N]`, in the order of the official batches."""
    def read(what):
        return torch.frombuffer(bytearray((DATA / f"{split}_{what}.bin").read_bytes()), dtype=torch.uint8)
    return read("images").view(-1, SIZE, SIZE, 3), read("labels").long()


def normalise(images: torch.Tensor) -> torch.Tensor:
    return ((images / 255 - MEAN) / STD).permute(0, 3, 1, 2).contiguous()


def augment(images: torch.Tensor, *, cutout: int) -> torch.Tensor:
    """Random crop of the padded image, flip, normalisation, then cutout, each image by itself."""
    padded = F.pad(images, (0, 0, PADDING, PADDING, PADDING, PADDING))
    crops = []
    for image in padded:
        top, left = torch.randint(2 * PADDING + 1, (2,)).tolist()
        crop = image[top:top + SIZE, left:left + SIZE]
        crops.append(crop.flip(1) if torch.rand(()) < 0.5 else crop)
    x = normalise(torch.stack(crops))
    for image in x if cutout else ():
        row, column = torch.randint(SIZE, (2,)).tolist()
        half = cutout // 2
        image[:, max(0, row - half):row + half, max(0, column - half):column + half] = 0
    return x


def batches(data, batch: int, *, cutout: int = 0):
    """Augmented batches of one epoch in a random order; the last may be partial."""
    images, labels = data
    for indices in torch.randperm(len(labels)).split(batch):
        yield augment(images[indices], cutout=cutout), labels[indices]


def endless(data, batch: int):
    while True:
        yield from batches(data, batch)


def score(evaluate, pairs) -> dict:
    """Accuracy (0..1) and mean loss (nats)."""
    correct = loss = count = 0
    for images, labels in pairs:
        logits = evaluate(images)
        loss += F.cross_entropy(logits, labels, reduction="sum").item()
        correct += (logits.argmax(1) == labels).sum().item()
        count += len(labels)
    return {"accuracy": correct / count, "loss": loss / count}


def learn_network(config: dict) -> dict:
    """Trains PDARTS on the first images of the training set, and tests it."""
    train = [part[:config["images"]] for part in load("train")]
    images, labels = (part[:config["testImages"]] for part in load("test"))
    net = Network(GENOTYPES["PDARTS"], channels=config["channels"], layers=config["layers"])
    trainer = NetworkTrainer(net, epochs=config["epochs"])
    for epoch in range(config["epochs"]):
        drop_path = trainer.begin_epoch(epoch)
        for x, y in batches(train, config["batch"], cutout=config["cutout"]):
            trainer.step(x, y, drop_path if epoch else None)
    tests = zip(images.split(config["batch"]), labels.split(config["batch"]))
    return score(trainer.evaluate, ((normalise(x), y) for x, y in tests))


def skip_dropout(rate: float, epoch: int, config: dict) -> float:
    if epoch < config["alphaFromEpoch"]:
        return rate * (config["epochs"] - epoch - 1) / config["epochs"]
    return rate * math.exp(-SKIP_DROPOUT_DECAY * (epoch - config["alphaFromEpoch"]))


def train_stage(net: Supernet, halves, stage: dict, config: dict) -> dict:
    """All epochs of a stage; returns its last validation, on the augmented second half."""
    trainer = Trainer(net)
    alphas = endless(halves[1], config["batch"])
    dropouts = [module for module in net.modules() if isinstance(module, nn.Dropout)]
    for epoch in range(config["epochs"]):
        share = epoch / config["epochs"]
        trainer.sgd.param_groups[0]["lr"] = LEARNING_RATE * (1 + math.cos(math.pi * share)) / 2
        for dropout in dropouts:
            dropout.p = skip_dropout(stage["skipDropout"], epoch, config)
        for batch in batches(halves[0], config["batch"]):
            if epoch >= config["alphaFromEpoch"]:
                trainer.alpha_step(*next(alphas))
            trainer.weight_step(*batch)
    return score(trainer.evaluate, batches(halves[1], config["batch"]))


def drop(weights, kept, count: int):
    """Each edge without its `count` smallest weights, the first on ties."""
    left = []
    for row, indices in zip(weights, kept, strict=True):
        order = sorted(range(len(row)), key=lambda place: row[place])
        left.append([indices[place] for place in sorted(order[count:])])
    return left


def learn_search(config: dict) -> dict:
    """Runs the stages; the last one's validation and softmax weights."""
    images, labels = load("train")
    half = len(labels) // 2
    parts = [slice(first, first + config["images"]) for first in (0, half)]
    halves = [(images[part], labels[part]) for part in parts]
    kept = {kind: [list(range(len(PRIMITIVES)))] * EDGES for kind in ("normal", "reduce")}
    for index, stage in enumerate(config["stages"]):
        net = Supernet(channels=config["channels"], layers=stage["layers"], kept_normal=kept["normal"],
                       kept_reduce=kept["reduce"], skip_dropout=stage["skipDropout"])
        result = train_stage(net, halves, stage, config)
        weights = dict(zip(kept, (alphas.softmax(-1).tolist() for alphas in net.alphas())))
        if index < len(config["stages"]) - 1:
            kept = {kind: drop(weights[kind], kept[kind], stage["drop"]) for kind in kept}
    names = {k: [[PRIMITIVES[i] for i in edge] for edge in edges] for k, edges in kept.items()}
    return result | {kind: {"weights": weights[kind], "kept": names[kind]} for kind in kept}


def main() -> None:
    what, config = sys.argv[1], json.loads(sys.argv[2])
    torch.set_num_threads(config["threads"])
    torch.manual_seed(config["seed"])
    learn = {"network": learn_network, "search": learn_search}[what]
    print(json.dumps(learn(config)))


if __name__ == "__main__":
    main()
