"""The stored genotypes, as REFERENCE.md publishes them: (primitive, source state) pairs in edge order.

Transcribed apart from ours (nn/genotypes.ts), so that a slip in one of the two shows in the fixtures.
"""

from typing import NamedTuple

PRIMITIVES = {
    "max": "max_pool_3x3", "avg": "avg_pool_3x3", "skip": "skip_connect",
    "sep3": "sep_conv_3x3", "sep5": "sep_conv_5x5", "sep7": "sep_conv_7x7",
    "dil3": "dil_conv_3x3", "dil5": "dil_conv_5x5", "conv71": "conv_7x1_1x7",
}


class Genotype(NamedTuple):
    normal: list[tuple[str, int]]
    normal_concat: list[int]
    reduce: list[tuple[str, int]]
    reduce_concat: list[int]


def entries(text: str) -> list[tuple[str, int]]:
    """Pairs of "skip 0, dil3 1, ..."."""
    pairs = (pair.split() for pair in text.split(","))
    return [(PRIMITIVES[name], int(source)) for name, source in pairs]


GENOTYPES = {
    "NASNet": Genotype(
        entries("sep5 1, sep3 0, sep5 0, sep3 0, avg 1, skip 0, avg 0, avg 0, sep3 1, skip 1"),
        [2, 3, 4, 5, 6],
        entries("sep5 1, sep7 0, max 1, sep7 0, avg 1, sep5 0, skip 3, avg 2, sep3 2, max 1"),
        [4, 5, 6],
    ),
    "AmoebaNet": Genotype(
        entries("avg 0, max 1, sep3 0, sep5 2, sep3 0, avg 3, sep3 1, skip 1, skip 0, avg 1"),
        [4, 5, 6],
        entries("avg 0, sep3 1, max 0, sep7 2, sep7 0, avg 1, max 0, max 1, conv71 0, sep3 5"),
        [3, 4, 6],
    ),
    "DARTS_V1": Genotype(
        entries("sep3 1, sep3 0, skip 0, sep3 1, skip 0, sep3 1, sep3 0, skip 2"),
        [2, 3, 4, 5],
        entries("max 0, max 1, skip 2, max 0, max 0, skip 2, skip 2, avg 0"),
        [2, 3, 4, 5],
    ),
    "DARTS_V2": Genotype(
        entries("sep3 0, sep3 1, sep3 0, sep3 1, sep3 1, skip 0, skip 0, dil3 2"),
        [2, 3, 4, 5],
        entries("max 0, max 1, skip 2, max 1, max 0, skip 2, skip 2, max 1"),
        [2, 3, 4, 5],
    ),
    "PDARTS": Genotype(
        entries("skip 0, dil3 1, skip 0, sep3 1, sep3 1, sep3 3, sep3 0, dil5 4"),
        [2, 3, 4, 5],
        entries("avg 0, sep5 1, sep3 0, dil5 2, max 0, dil3 1, dil3 1, dil5 3"),
        [2, 3, 4, 5],
    ),
}
