"""Writes the safetensors format by hand: 8-byte little-endian header length, JSON header
(padded with spaces to a multiple of 8), raw data. Source: the format's published description."""

import json

import torch

DTYPES = {torch.float32: "F32", torch.int64: "I64", torch.uint8: "U8"}


def save(path, tensors: dict[str, torch.Tensor], metadata: dict[str, str] | None = None) -> int:
    """Write tensors in the order given; float64 is stored as float32. Returns the file's bytes."""
    header, chunks, offset = ({"__metadata__": metadata} if metadata else {}), [], 0
    for name, tensor in tensors.items():
        tensor = tensor.detach().contiguous()
        tensor = tensor.float() if tensor.is_floating_point() else tensor
        chunk = bytes(tensor.reshape(-1).view(torch.uint8).tolist())
        span = [offset, offset + len(chunk)]
        header[name] = {"dtype": DTYPES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": span}
        chunks.append(chunk)
        offset += len(chunk)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + b"".join(chunks))
    return 8 + len(text) + offset
