"""Operations that the supernet and the evaluation network share, in NCHW.

`affine` says whether batch norms have a scale and a shift: not in search, always in evaluation. No
convolution has a bias; BN is PyTorch's default (eps 1e-5, momentum 0.1).
"""

import torch
from torch import nn
from torch.nn import functional as F


class FactorizedReduce(nn.Module):
    """ReLU; two 1x1 convolutions of stride 2, the second shifted by (1, 1); concat; BN.

    Of an odd side, which the authors' networks do not meet, it reads one row or column of zeros more.
    """

    def __init__(self, c_in: int, c_out: int, *, affine: bool):
        super().__init__()
        if c_out % 2:
            raise ValueError(f"Cannot build FactorizedReduce: got odd {c_out} channels")
        self.conv_1 = nn.Conv2d(c_in, c_out // 2, 1, stride=2, bias=False)
        self.conv_2 = nn.Conv2d(c_in, c_out // 2, 1, stride=2, bias=False)
        self.bn = nn.BatchNorm2d(c_out, affine=affine)

    def forward(self, x):
        height, width = x.shape[2:]
        x = F.pad(F.relu(x), (0, width % 2, 0, height % 2))
        return self.bn(torch.cat([self.conv_1(x), self.conv_2(x[:, :, 1:, 1:])], dim=1))


class ReLUConvBN(nn.Module):
    """ReLU, 1x1 convolution, BN."""

    def __init__(self, c_in: int, c_out: int, *, affine: bool):
        super().__init__()
        convolution = nn.Conv2d(c_in, c_out, 1, bias=False)
        self.op = nn.Sequential(nn.ReLU(), convolution, nn.BatchNorm2d(c_out, affine=affine))

    def forward(self, x):
        return self.op(x)


def separable(channels: int, *, kernel: int, stride: int, affine: bool,
              dilation: int = 1) -> list[nn.Module]:
    """One separable unit: ReLU, depthwise convolution, pointwise convolution, BN."""
    padding = dilation * (kernel - 1) // 2
    depthwise = nn.Conv2d(channels, channels, kernel, stride, padding, dilation, channels, bias=False)
    pointwise = nn.Conv2d(channels, channels, 1, bias=False)
    return [nn.ReLU(), depthwise, pointwise, nn.BatchNorm2d(channels, affine=affine)]


class Convolution(nn.Module):
    """A `sep_conv` (two separable units) or a `dil_conv` (one, with dilation 2), by its name."""

    def __init__(self, name: str, channels: int, *, stride: int, affine: bool):
        super().__init__()
        kind, _, size = name.partition("_conv_")
        kernel = int(size[0])
        if kind == "dil":
            units = separable(channels, kernel=kernel, stride=stride, affine=affine, dilation=2)
        else:
            units = separable(channels, kernel=kernel, stride=stride, affine=affine)
            units += separable(channels, kernel=kernel, stride=1, affine=affine)
        self.op = nn.Sequential(*units)

    def forward(self, x):
        return self.op(x)


def max_pool(stride: int) -> nn.MaxPool2d:
    return nn.MaxPool2d(3, stride, padding=1)


def average_pool(stride: int) -> nn.AvgPool2d:
    """Padding is not counted."""
    return nn.AvgPool2d(3, stride, padding=1, count_include_pad=False)
