"""The P-DARTS evaluation networks for CIFAR and ImageNet in PyTorch: the peer that ours is compared with.

Written from the method's description (Chen et al., ICCV 2019, arXiv 1904.12760) and the parameter
names of its authors' modules, so that their state dicts load. Tensors are NCHW; every BN has a scale
and a shift. The auxiliary head reads the cell at 2L div 3, in training mode alone.
"""

import torch
from torch import nn

from genotypes import GENOTYPES, Genotype
from operations import Convolution, FactorizedReduce, ReLUConvBN, average_pool, max_pool

AUXILIARY_WEIGHT = 0.4  # of the auxiliary head's loss


class FactorisedConvolution(nn.Module):
    """`conv_7x1_1x7`: ReLU, 1x7 convolution of stride (1, s), 7x1 of stride (s, 1), BN."""

    def __init__(self, channels: int, *, stride: int):
        super().__init__()
        self.op = nn.Sequential(
            nn.ReLU(),
            nn.Conv2d(channels, channels, (1, 7), stride=(1, stride), padding=(0, 3), bias=False),
            nn.Conv2d(channels, channels, (7, 1), stride=(stride, 1), padding=(3, 0), bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x):
        return self.op(x)


def make_primitive(name: str, channels: int, *, stride: int) -> nn.Module:
    """One primitive as evaluation uses it: pools without BN, skips without dropout."""
    if name == "max_pool_3x3":
        return max_pool(stride)
    if name == "avg_pool_3x3":
        return average_pool(stride)
    if name == "skip_connect":
        return nn.Identity() if stride == 1 else FactorizedReduce(channels, channels, affine=True)
    if name == "conv_7x1_1x7":
        return FactorisedConvolution(channels, stride=stride)
    return Convolution(name, channels, stride=stride, affine=True)


class DropPath:
    """Drops the output of an operation per sample: 0, or divided by the keep probability.

    `masks`, if given, holds for (cell, operation) which samples stay, `[N]` of 0 and 1; else they are
    drawn anew at each call.
    """

    def __init__(self, rate: float, masks: dict[tuple[int, int], torch.Tensor] | None = None):
        self.keep, self.masks = 1 - rate, masks

    def __call__(self, x, cell: int, operation: int):
        if self.masks is None:
            mask = torch.empty(len(x), dtype=x.dtype, device=x.device).bernoulli_(self.keep)
        else:
            mask = self.masks[cell, operation].to(x)
        return x * (mask / self.keep).reshape(-1, 1, 1, 1)


class Cell(nn.Module):
    """Two preprocessed inputs; each node adds two operations; output: some states on channels."""

    def __init__(self, index: int, genotype: Genotype, c_before: int, c_last: int, channels: int, *,
                 reduction: bool, last_reduced: bool):
        super().__init__()
        first = FactorizedReduce if last_reduced else ReLUConvBN
        self.preprocess0 = first(c_before, channels, affine=True)
        self.preprocess1 = ReLUConvBN(c_last, channels, affine=True)
        entries = genotype.reduce if reduction else genotype.normal
        self._ops = nn.ModuleList(
            make_primitive(name, channels, stride=2 if reduction and source < 2 else 1)
            for name, source in entries
        )
        self.index = index
        self.sources = [source for _, source in entries]
        self.concat = genotype.reduce_concat if reduction else genotype.normal_concat

    def forward(self, before, last, drop_path=None):
        states = [self.preprocess0(before), self.preprocess1(last)]
        for first in range(0, len(self._ops), 2):
            states.append(sum(self.branch(op, states, drop_path) for op in (first, first + 1)))
        return torch.cat([states[state] for state in self.concat], dim=1)

    def branch(self, operation: int, states, drop_path):
        """One operation of a node; drop path spares identities."""
        module = self._ops[operation]
        y = module(states[self.sources[operation]])
        if drop_path is None or isinstance(module, nn.Identity):
            return y
        return drop_path(y, self.index, operation)


class AuxiliaryHead(nn.Module):
    """A second classifier: ReLU, pool to 2x2, two convolutions, linear.

    For ImageNet no BN follows the second convolution, which its authors left out. On images larger than
    the published ones the mean of what that convolution leaves is classified.
    """

    def __init__(self, channels: int, classes: int, *, imagenet: bool):
        super().__init__()
        self.features = nn.Sequential(
            nn.ReLU(),
            nn.AvgPool2d(5, stride=2 if imagenet else 3, count_include_pad=False),
            nn.Conv2d(channels, 128, 1, bias=False),
            nn.BatchNorm2d(128),
            nn.ReLU(),
            nn.Conv2d(128, 768, 2, bias=False),
            *([] if imagenet else [nn.BatchNorm2d(768)]),
            nn.ReLU(),
        )
        self.classifier = nn.Linear(768, classes)

    def forward(self, x):
        return self.classifier(self.features(x).mean((2, 3)))


def convolution_norm(inputs: int, outputs: int, *, stride: int) -> list[nn.Module]:
    """A 3x3 convolution and its BN: a layer of a stem."""
    return [nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False), nn.BatchNorm2d(outputs)]


class Network(nn.Module):
    """Stem, `layers` cells (reduction at L div 3 and 2L div 3), average pool, classifier.

    For ImageNet there are two stems, which divide the sides by 4 and by 8, and cell 0 reads both.
    """

    def __init__(self, genotype: Genotype, *, channels: int, layers: int, classes: int = 10,
                 auxiliary: bool = True, imagenet: bool = False):
        super().__init__()
        if imagenet:
            half = channels // 2
            self.stem0 = nn.Sequential(*convolution_norm(3, half, stride=2), nn.ReLU(),
                                       *convolution_norm(half, channels, stride=2))
            self.stem1 = nn.Sequential(nn.ReLU(), *convolution_norm(channels, channels, stride=2))
            before, last = channels, channels
        else:
            before = last = 3 * channels
            self.stem = nn.Sequential(*convolution_norm(3, last, stride=1))
        last_reduced = imagenet
        self.cells = nn.ModuleList()
        self.auxiliary_at, auxiliary_channels = 2 * layers // 3, 0
        for index in range(layers):
            reduction = index in (layers // 3, 2 * layers // 3)
            channels *= 2 if reduction else 1
            cell = Cell(index, genotype, before, last, channels, reduction=reduction,
                        last_reduced=last_reduced)
            self.cells.append(cell)
            before, last, last_reduced = last, len(cell.concat) * channels, reduction
            if index == self.auxiliary_at:
                auxiliary_channels = last
        self.auxiliary_head = (AuxiliaryHead(auxiliary_channels, classes, imagenet=imagenet)
                               if auxiliary else None)
        self.global_pooling = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(last, classes)
        self.imagenet = imagenet

    def run_stem(self, images):
        """What stands for the outputs of the last cell but one, and of the last, at cell 0."""
        if not self.imagenet:
            both = self.stem(images)
            return both, both
        before = self.stem0(images)
        return before, self.stem1(before)

    def forward(self, images, drop_path: DropPath | None = None):
        """(logits, auxiliary logits or None), each `[N, classes]`, of images `[N, 3, H, W]`."""
        auxiliary = None
        before, last = self.run_stem(images)
        for cell in self.cells:
            before, last = last, cell(before, last, drop_path)
            if self.training and self.auxiliary_head and cell.index == self.auxiliary_at:
                auxiliary = self.auxiliary_head(last)
        return self.classifier(self.global_pooling(last).flatten(1)), auxiliary


def count_parameters(net: Network) -> int:
    """Number of scalars in all parameters but the auxiliary head's."""
    named = net.named_parameters()
    return sum(p.numel() for name, p in named if not name.startswith("auxiliary_head."))


if __name__ == "__main__":
    for sizes, want in ((dict(channels=36, layers=20), 3_433_798),
                        (dict(channels=48, layers=14, classes=1000, imagenet=True), 4_944_352)):
        count = count_parameters(Network(GENOTYPES["PDARTS"], **sizes))
        assert count == want, f"PDARTS of {sizes} must have {want:,} parameters: got {count:,}"
        print(f"{sizes}: {count:,} parameters without the auxiliary head")
