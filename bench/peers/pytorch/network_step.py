"""Training the evaluation network on CIFAR: one SGD step with the constants of the authors' command."""

import math

import torch
from torch import nn
from torch.nn import functional as F

from network import AUXILIARY_WEIGHT, DropPath, Network

LEARNING_RATE, MOMENTUM, WEIGHT_DECAY = 0.025, 0.9, 3e-4
CLIP = 5.0  # global gradient norm
DROP_PATH_RATE = 0.3  # at the last epoch; linear from 0


class NetworkTrainer:
    """A network with its optimiser; the learning rate falls by a cosine to 0 over `epochs`."""

    def __init__(self, net: Network, *, epochs: int):
        self.net, self.epochs = net.train(), epochs
        self.sgd = torch.optim.SGD(net.parameters(), LEARNING_RATE, MOMENTUM,
                                   weight_decay=WEIGHT_DECAY)

    def begin_epoch(self, epoch: int) -> DropPath:
        """Set the learning rate of an epoch from 0; returns its drop path."""
        share = epoch / self.epochs
        self.sgd.param_groups[0]["lr"] = LEARNING_RATE * (1 + math.cos(math.pi * share)) / 2
        return DropPath(DROP_PATH_RATE * share)

    def gradients(self, images, labels, drop_path: DropPath | None = None):
        """Compute all gradients anew. Returns (logits, auxiliary logits or None, loss with the head's)."""
        logits, auxiliary, loss = self.backward(images, labels, drop_path)
        return logits, auxiliary, loss.item()

    def backward(self, images, labels, drop_path: DropPath | None = None):
        """`gradients`, waiting for nothing: the loss stays a tensor."""
        self.sgd.zero_grad()
        logits, auxiliary = self.net(images, drop_path)
        loss = F.cross_entropy(logits, labels)
        if auxiliary is not None:
            loss = loss + AUXILIARY_WEIGHT * F.cross_entropy(auxiliary, labels)
        loss.backward()
        return logits.detach(), auxiliary, loss.detach()

    def step(self, images, labels, drop_path: DropPath | None = None) -> float:
        """One SGD step. Returns the loss before it."""
        return self.update(images, labels, drop_path).item()

    def update(self, images, labels, drop_path: DropPath | None = None):
        """`step`, waiting for nothing: the loss stays a tensor."""
        _, _, loss = self.backward(images, labels, drop_path)
        nn.utils.clip_grad_norm_(self.net.parameters(), CLIP)
        self.sgd.step()
        return loss

    @torch.no_grad()
    def evaluate(self, images):
        """Logits in evaluation mode; leaves the network in training mode."""
        self.net.eval()
        logits, _ = self.net(images)
        self.net.train()
        return logits
