"""The two optimiser steps of the search, with the constants of the authors' command.

First order only. An alpha step runs backward through the whole network, weights
included, as the authors' code does; their gradients are then cleared unused.
"""

import torch
from torch import nn
from torch.nn import functional as F

LEARNING_RATE, MOMENTUM, WEIGHT_DECAY = 0.025, 0.9, 3e-4
ALPHA_LEARNING_RATE, ALPHA_BETAS, ALPHA_WEIGHT_DECAY = 6e-4, (0.5, 0.999), 1e-3
CLIP = 5.0  # global gradient norm, of the weights or of the alphas


class Trainer:
    """A supernet with its two optimisers. Both kinds of step train in training mode."""

    def __init__(self, net, *, capturable: bool = False):
        """`capturable`: Adam keeps its step count on the card, so that a CUDA graph may hold its step."""
        self.net = net.train()
        self.sgd = torch.optim.SGD(net.weights(), LEARNING_RATE, MOMENTUM, weight_decay=WEIGHT_DECAY)
        self.adam = torch.optim.Adam(
            net.alphas(), ALPHA_LEARNING_RATE, betas=ALPHA_BETAS, weight_decay=ALPHA_WEIGHT_DECAY,
            capturable=capturable,
        )

    def gradients(self, images, labels):
        """Clear all gradients and compute them anew. Returns (logits, mean loss)."""
        logits, loss = self.backward(images, labels)
        return logits, loss.item()

    def backward(self, images, labels):
        """`gradients`, waiting for nothing: the loss stays a tensor."""
        self.sgd.zero_grad()
        self.adam.zero_grad()
        logits = self.net(images)
        loss = F.cross_entropy(logits, labels)
        loss.backward()
        return logits.detach(), loss.detach()

    def weight_step(self, images, labels) -> float:
        """One SGD step of the weights. Returns the mean loss before it."""
        return self.weight_update(images, labels).item()

    def weight_update(self, images, labels):
        """`weight_step`, waiting for nothing: the loss stays a tensor."""
        _, loss = self.backward(images, labels)
        nn.utils.clip_grad_norm_(self.net.weights(), CLIP)
        self.sgd.step()
        return loss

    def alpha_step(self, images, labels) -> float:
        """One Adam step of the alphas. Returns the mean loss before it."""
        return self.alpha_update(images, labels).item()

    def alpha_update(self, images, labels):
        """`alpha_step`, waiting for nothing: the loss stays a tensor."""
        _, loss = self.backward(images, labels)
        nn.utils.clip_grad_norm_(self.net.alphas(), CLIP)
        self.adam.step()
        return loss

    @torch.no_grad()
    def evaluate(self, images):
        """Logits in evaluation mode (running statistics); leaves the net in training mode."""
        self.net.eval()
        logits = self.net(images)
        self.net.train()
        return logits
