"""Loads a folder of images by torchvision's DataLoader, an epoch a request, for bench/loading.ts.

Run `python load_images.py FOLDER WORKERS BATCH` after `pip install torchvision==0.29.1`. Each line on stdin
asks for an epoch; the answer is a line of JSON: `images`, `seconds`, and `cpu_seconds` of this process and
its workers. The first line, before any request, has the versions.
"""

import json
import os
import sys
import time

import PIL
import torch
import torchvision
from torchvision import transforms

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def training_transform():
    """As in the authors' code for ImageNet."""
    return transforms.Compose([
        transforms.RandomResizedCrop(224),
        transforms.RandomHorizontalFlip(),
        transforms.ColorJitter(brightness=0.4, contrast=0.4, saturation=0.4, hue=0.2),
        transforms.ToTensor(),
        transforms.Normalize(MEAN, STD),
    ])


def cpu_seconds(pids):
    """User and system time of processes so far, by /proc/<pid>/stat (proc(5))."""
    ticks = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def main():
    folder, workers, batch = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    torch.set_num_threads(1)
    data = torchvision.datasets.ImageFolder(folder, training_transform())
    loader = torch.utils.data.DataLoader(
        data, batch_size=batch, shuffle=True, num_workers=workers, persistent_workers=True)
    versions = {"torch": torch.__version__, "torchvision": torchvision.__version__,
                "pillow": PIL.__version__}
    print(json.dumps(versions), flush=True)
    for _ in sys.stdin:
        pids = [os.getpid()]
        begun, images = time.perf_counter(), 0
        batches = iter(loader)
        pids += [worker.pid for worker in batches._workers]
        cpu = cpu_seconds(pids)
        for pixels, _ in batches:
            images += len(pixels)
        seconds, cpu = time.perf_counter() - begun, cpu_seconds(pids) - cpu
        print(json.dumps({"images": images, "seconds": seconds, "cpu_seconds": cpu}), flush=True)


main()
