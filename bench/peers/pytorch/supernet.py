"""The P-DARTS supernet in PyTorch: the peer that ours is compared with.

Written from the method's description (Chen et al., ICCV 2019, arXiv 1904.12760) and
the parameter names of its authors' modules, so that a state dict of this network maps
to ours without a table. It serves two ends: make_fixtures.py takes reference numbers
from it, bench_step.py times it. Tensors are NCHW; no convolution has a bias; BN is
PyTorch's default (eps 1e-5, momentum 0.1), without affine parameters except the stem's.
"""

import torch
from torch import nn

from operations import Convolution, FactorizedReduce, ReLUConvBN, average_pool, max_pool

PRIMITIVES = (
    "none",
    "max_pool_3x3",
    "avg_pool_3x3",
    "skip_connect",
    "sep_conv_3x3",
    "sep_conv_5x5",
    "dil_conv_3x3",
    "dil_conv_5x5",
)
NODES = 4  # intermediate nodes of a cell; node i has an edge from each of 2 + i states
EDGES = sum(2 + node for node in range(NODES))
ALL_KEPT = [list(range(len(PRIMITIVES)))] * EDGES


def search_norm(channels: int) -> nn.BatchNorm2d:
    """BN as in search: no affine parameters."""
    return nn.BatchNorm2d(channels, affine=False)


class Zero(nn.Module):
    """`none`: zeros of the output's shape, input sizes divided by the stride."""

    def __init__(self, stride: int):
        super().__init__()
        self.stride = stride

    def forward(self, x):
        return x[:, :, :: self.stride, :: self.stride] * 0.0


def make_primitive(name: str, channels: int, *, stride: int, skip_dropout: float) -> nn.Module:
    """One primitive as the search uses it."""
    if name == "none":
        return Zero(stride)
    if name == "max_pool_3x3":
        return nn.Sequential(max_pool(stride), search_norm(channels))
    if name == "avg_pool_3x3":
        return nn.Sequential(average_pool(stride), search_norm(channels))
    if name == "skip_connect":
        if stride == 2:
            return FactorizedReduce(channels, channels, affine=False)
        dropped = skip_dropout > 0
        return nn.Sequential(nn.Identity(), nn.Dropout(skip_dropout)) if dropped else nn.Identity()
    return Convolution(name, channels, stride=stride, affine=False)


class MixedOp(nn.Module):
    """An edge: the weighted sum of its kept primitives, by index into PRIMITIVES."""

    def __init__(self, channels: int, stride: int, *, kept: list[int], skip_dropout: float = 0.0):
        super().__init__()
        self.m_ops = nn.ModuleList(
            make_primitive(PRIMITIVES[index], channels, stride=stride, skip_dropout=skip_dropout)
            for index in kept
        )

    def forward(self, x, weights):
        return sum(weight * op(x) for weight, op in zip(weights, self.m_ops))


class Cell(nn.Module):
    """Two preprocessed inputs, four nodes of summed edges; output: the nodes on channels."""

    def __init__(self, c_before: int, c_last: int, channels: int, *, kept, reduction: bool,
                 last_reduced: bool, skip_dropout: float):
        super().__init__()
        first = FactorizedReduce if last_reduced else ReLUConvBN
        self.preprocess0 = first(c_before, channels, affine=False)
        self.preprocess1 = ReLUConvBN(c_last, channels, affine=False)
        sources = [source for node in range(NODES) for source in range(2 + node)]
        self.cell_ops = nn.ModuleList(
            MixedOp(channels, 2 if reduction and source < 2 else 1, kept=edge_kept,
                    skip_dropout=skip_dropout)
            for source, edge_kept in zip(sources, kept, strict=True)
        )
        self.reduction = reduction

    def forward(self, before, last, weights):
        states = [self.preprocess0(before), self.preprocess1(last)]
        edge = 0
        for _ in range(NODES):
            edges = range(edge, edge + len(states))
            edge += len(states)
            states.append(sum(self.cell_ops[e](h, weights[e]) for h, e in zip(states, edges)))
        return torch.cat(states[2:], dim=1)


class Supernet(nn.Module):
    """Stem, `layers` cells (reduction at L div 3 and 2L div 3), average pool, classifier.

    `kept_normal` and `kept_reduce` list, for each of the 14 edges, the primitives still
    there (all edges of a kind keep equally many). Alphas are `[14, kept]` parameters;
    edge weights are their softmax.
    """

    def __init__(self, *, channels: int, layers: int, classes: int = 10, kept_normal=ALL_KEPT,
                 kept_reduce=ALL_KEPT, skip_dropout: float = 0.0):
        super().__init__()
        self.alphas_normal = nn.Parameter(1e-3 * torch.randn(EDGES, len(kept_normal[0])))
        self.alphas_reduce = nn.Parameter(1e-3 * torch.randn(EDGES, len(kept_reduce[0])))
        width = 3 * channels
        self.stem = nn.Sequential(nn.Conv2d(3, width, 3, padding=1, bias=False), nn.BatchNorm2d(width))
        before, last, last_reduced = width, width, False
        self.cells = nn.ModuleList()
        for index in range(layers):
            reduction = index in (layers // 3, 2 * layers // 3)
            channels *= 2 if reduction else 1
            self.cells.append(
                Cell(before, last, channels, kept=kept_reduce if reduction else kept_normal,
                     reduction=reduction, last_reduced=last_reduced, skip_dropout=skip_dropout)
            )
            before, last, last_reduced = last, NODES * channels, reduction
        self.global_pooling = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(last, classes)

    def forward(self, images):
        """Logits `[N, classes]` of images `[N, 3, H, W]`."""
        normal, reduce = self.alphas_normal.softmax(-1), self.alphas_reduce.softmax(-1)
        before = last = self.stem(images)
        for cell in self.cells:
            before, last = last, cell(before, last, reduce if cell.reduction else normal)
        return self.classifier(self.global_pooling(last).flatten(1))

    def alphas(self) -> list[nn.Parameter]:
        return [self.alphas_normal, self.alphas_reduce]

    def named_weights(self):
        """(name, parameter) of every parameter but the alphas, in registration order."""
        return [(n, p) for n, p in self.named_parameters() if not n.startswith("alphas_")]

    def weights(self) -> list[nn.Parameter]:
        return [parameter for _, parameter in self.named_weights()]


def count_weights(net: Supernet) -> int:
    """Number of scalars in all parameters but the alphas."""
    return sum(parameter.numel() for parameter in net.weights())


if __name__ == "__main__":
    count = count_weights(Supernet(channels=16, layers=5))
    assert count == 1_275_834, f"5 cells of 16 channels must have 1,275,834 weights: got {count}"
    print(f"{count:,} parameters without alphas")
