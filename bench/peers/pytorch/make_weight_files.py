"""Makes small files of weights of every kind that PyTorch has written, for tests/evaluate/weights.

Run `python make_weight_files.py [FOLDER]` (default: tests/fixtures/pytorch/weights). All hold the
tensors of `state_dict()`, whose numbers are exact in 16 bits, but `integers.pt` and `views.pt`.
"""

import pathlib
import pickle
import struct
import sys
import zipfile
from collections import OrderedDict

import torch
from torch import nn

FOLDER = pathlib.Path(__file__).parents[3] / "tests" / "fixtures" / "pytorch" / "weights"
LEGACY_MAGIC, LEGACY_VERSION = 0x1950A86A20F9469CFC6C, 1001
INTEGERS = (torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool, torch.int64)


def state_dict(dtype: torch.dtype = torch.float32) -> OrderedDict:
    """A convolution's weight, a bias, and a batch norm's count."""
    return OrderedDict([
        ("stem.0.weight", ((torch.arange(24.0) - 12) / 4).reshape(2, 3, 2, 2).to(dtype)),
        ("stem.1.num_batches_tracked", torch.tensor(7)),
        ("classifier.bias", torch.tensor([0.5, -1.5, 2.0]).to(dtype)),
    ])


def wrapped() -> dict:
    """What a training script saves: DataParallel's names, and the optimiser beside."""
    network = nn.Linear(2, 2)
    optimizer = torch.optim.SGD(network.parameters(), 0.025, momentum=0.9)
    network(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    names = OrderedDict(("module." + name, tensor) for name, tensor in state_dict().items())
    names._metadata = OrderedDict([("", {"version": 1})])  # as Module.state_dict() has it
    return {"epoch": 3, "state_dict": names, "best_acc_top1": torch.tensor(97.5),
            "optimizer": optimizer.state_dict(), "arch": None, "seconds": 0.25, "aux": True}


def views() -> dict:
    """Tensors that share storages, of any strides."""
    base = torch.arange(12.0).reshape(3, 4)
    return {"whole": base, "transposed": base.t(), "row": base[1], "every_second": base[::2, 1::2],
            "again": base, "empty": base[:0], "one": base[2, 3]}


class Python2Pickler(pickle._Pickler):
    """Pickles as torch 0.3 did under Python 2: byte strings, pairs in lists, and no dtype in tensors."""

    dispatch = dict(pickle._Pickler.dispatch)

    def __init__(self, file):
        super().__init__(file, protocol=2)
        self.storages = {}

    def save_text(self, text):
        data = text.encode()
        self.write(pickle.SHORT_BINSTRING + bytes([len(data)]) + data)
        self.memoize(text)

    def save_integer(self, number):
        if -2**31 <= number < 2**31:
            pickle._Pickler.save_long(self, number)
        else:
            self.write(b"I%d\n" % number)

    dispatch[str], dispatch[int] = save_text, save_integer

    def reducer_override(self, value):
        if isinstance(value, torch.Tensor):
            arguments = (value.untyped_storage(), value.storage_offset(), tuple(value.shape),
                         value.stride())
            return torch._utils._rebuild_tensor, arguments
        if isinstance(value, OrderedDict):
            return OrderedDict, ([[key, item] for key, item in value.items()],)
        return NotImplemented

    def persistent_id(self, value):
        if not isinstance(value, torch.UntypedStorage):
            return None
        key = str(94763776416688 + 64 * len(self.storages))
        self.storages[key] = value
        return ("storage", torch.FloatStorage, key, "cuda:0", len(value) // 4, None)


def save_python2(value, path: pathlib.Path) -> None:
    """Write the legacy format with `Python2Pickler`."""
    with open(path, "wb") as file:
        for part in (LEGACY_MAGIC, LEGACY_VERSION, {"protocol_version": LEGACY_VERSION}):
            pickle.dump(part, file, protocol=2)
        pickler = Python2Pickler(file)
        pickler.dump(value)
        Python2Pickler(file).dump(sorted(pickler.storages))
        for key in sorted(pickler.storages):
            data = bytes(pickler.storages[key])
            file.write(struct.pack("<q", len(data) // 4) + data)


def make_big_endian(path: pathlib.Path, little: pathlib.Path) -> None:
    """Write the zip file `little` as a machine of the other order of bytes would have."""
    with zipfile.ZipFile(little) as source, zipfile.ZipFile(path, "w") as target:
        for entry in source.infolist():
            data = source.read(entry)
            if entry.filename.endswith("/byteorder"):
                data = b"big"
            elif "/data/" in entry.filename:
                width = 8 if len(data) == 8 else 4  # the count is the only storage of 8 bytes
                data = b"".join(data[at:at + width][::-1] for at in range(0, len(data), width))
            target.writestr(zipfile.ZipInfo(entry.filename), data)


def main() -> None:
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    legacy = {"_use_new_zipfile_serialization": False}
    torch.save(state_dict(), folder / "zip.pt")
    torch.save(state_dict(), folder / "legacy.pt", **legacy)
    for dtype in (torch.float16, torch.bfloat16, torch.float64):
        torch.save(state_dict(dtype), folder / f"{str(dtype).removeprefix('torch.')}.pt")
    parameters = {name: nn.Parameter(tensor, requires_grad=tensor.is_floating_point())
                  for name, tensor in state_dict().items()}
    torch.save(parameters, folder / "parameters.pt")
    torch.save(wrapped(), folder / "wrapped.pth.tar")
    torch.save(wrapped(), folder / "wrapped_legacy.pth.tar", **legacy)
    torch.save({str(dtype): torch.tensor([0, 1, -1 if dtype.is_signed else 1]).to(dtype)
                for dtype in INTEGERS}, folder / "integers.pt")
    torch.save(views(), folder / "views.pt")
    torch.save(views(), folder / "views_legacy.pt", **legacy)
    torch.serialization.set_crc32_options(False)
    torch.save(state_dict(), folder / "no_checksums.pt")
    torch.serialization.set_crc32_options(True)
    make_big_endian(folder / "big_endian.pt", folder / "zip.pt")
    early = state_dict()
    del early["stem.1.num_batches_tracked"]  # which torch 0.3 did not have
    save_python2({"epoch": 3, "ids": [140234766419216], "state_dict": early},
                 folder / "python2.pth.tar")


if __name__ == "__main__":
    main()
