"""Compares a file of weights that we wrote with the one it was made of, by PyTorch's own reader.

Run `python check_weight_file.py OURS ORIGINAL`: both are loaded with `weights_only=True`, must hold
the same names in the same order, and the same shapes, types and numbers. Ends with code 1 if not.
"""

import sys

import torch


def main() -> None:
    ours, original = (torch.load(path, weights_only=True) for path in sys.argv[1:3])
    if list(ours) != list(original):
        sys.exit(f"the names differ: {len(ours)} and {len(original)}")
    for name, tensor in original.items():
        same = ours[name].dtype == tensor.dtype and torch.equal(ours[name], tensor)
        if not same:
            sys.exit(f"{name} differs")
    print(f"{len(ours)} tensors are the same")


if __name__ == "__main__":
    main()
