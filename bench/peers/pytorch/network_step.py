"""Training the evaluation network: one SGD step with the constants of the authors' commands."""

import math

import torch
from torch import nn
from torch.nn import functional as F

from network import AUXILIARY_WEIGHT, DropPath, Network

LEARNING_RATE, MOMENTUM, WEIGHT_DECAY = 0.025, 0.9, 3e-4
CLIP = 5.0  # global gradient norm
DROP_PATH_RATE = 0.3  # at the last epoch; linear from 0
IMAGENET_LEARNING_RATE, IMAGENET_WEIGHT_DECAY, LABEL_SMOOTHING = 0.1, 3e-5, 0.1
LINEAR_TAIL = 5  # epochs of ImageNet's slower fall


def linear_share(epoch: int, epochs: int) -> float:
    """ImageNet's learning rate, as a share of the initial one."""
    left = epochs - epoch
    if left > LINEAR_TAIL:
        return (left - LINEAR_TAIL) / (epochs - LINEAR_TAIL)
    return left / ((epochs - LINEAR_TAIL) * LINEAR_TAIL)


class NetworkTrainer:
    """A network with its optimiser.

    The learning rate falls over `epochs`, by a cosine to 0 on CIFAR, linearly on ImageNet, where labels
    are smoothed and no path is dropped.
    """

    def __init__(self, net: Network, *, epochs: int):
        self.net, self.epochs = net.train(), epochs
        self.rate, decay, self.smoothing = (
            (IMAGENET_LEARNING_RATE, IMAGENET_WEIGHT_DECAY, LABEL_SMOOTHING) if net.imagenet
            else (LEARNING_RATE, WEIGHT_DECAY, 0.0))
        self.sgd = torch.optim.SGD(net.parameters(), self.rate, MOMENTUM, weight_decay=decay)

    def begin_epoch(self, epoch: int) -> DropPath | None:
        """Set the learning rate of an epoch from 0; returns its drop path."""
        share = epoch / self.epochs
        falling = (linear_share(epoch, self.epochs) if self.net.imagenet
                   else (1 + math.cos(math.pi * share)) / 2)
        self.sgd.param_groups[0]["lr"] = self.rate * falling
        if self.net.imagenet:
            return None
        return DropPath(DROP_PATH_RATE * share)

    def gradients(self, images, labels, drop_path: DropPath | None = None):
        """Compute all gradients anew. Returns (logits, auxiliary logits or None, loss with the head's)."""
        logits, auxiliary, loss = self.backward(images, labels, drop_path)
        return logits, auxiliary, loss.item()

    def backward(self, images, labels, drop_path: DropPath | None = None):
        """`gradients`, waiting for nothing: the loss stays a tensor."""
        self.sgd.zero_grad()
        logits, auxiliary = self.net(images, drop_path)
        smoothing = {"label_smoothing": self.smoothing}
        loss = F.cross_entropy(logits, labels, **smoothing)
        if auxiliary is not None:
            loss = loss + AUXILIARY_WEIGHT * F.cross_entropy(auxiliary, labels, **smoothing)
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
