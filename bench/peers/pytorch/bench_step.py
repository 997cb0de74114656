"""Times PyTorch's steps of the supernet, or of PDARTS's evaluation network (--network evaluation).

Alone, `python bench_step.py --step weight --steps 3` prints one JSON line:
`{"ms": [...], "peak_rss_bytes": ..., "torch": ..., ...}`. With --serve it answers on
standard output, one JSON line for each line of standard input, so that a driver can alternate it
with another implementation:

    run weight | run alpha | run eval   ->  {"step": "weight", "ms": 8993.1, "loss": 2.39}
    run training | run inference        ->  the same, of the evaluation network
    memory                              ->  {"peak_rss_bytes": 9341534208, "peak_device_bytes": 0}
    memory PID                          ->  the first of another process of this user
    machine                             ->  {"cpu": ..., "cores": 2, "memory_bytes": ...}

and first, once it is ready, {"ready": true, "torch": ..., ...}. It ends when its input does.
Images and labels are random, made before the clock starts. A step's time covers zeroing the
gradients, forward, backward, clipping, the optimiser, and reading the loss back. The evaluation
network trains with auxiliary head and drop path. With --graph, on a card, training steps are captured
once as CUDA graphs and then replayed.
"""

import argparse
import json
import os
import platform
import sys
import time

import torch

from genotypes import GENOTYPES
from network import DropPath, Network, count_parameters
from network_step import DROP_PATH_RATE, NetworkTrainer
from step import Trainer
from supernet import EDGES, PRIMITIVES, Supernet, count_weights

IMAGE_SIZE, CLASSES = 32, 10
GRAPH_WARM_UP = 3  # steps before a capture, as PyTorch's notes on CUDA graphs ask


def peak_rss_bytes(pid: str = "self") -> int:
    """Peak resident memory of a process: the kernel's VmHWM, which starts anew at exec."""
    with open(f"/proc/{pid}/status") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    raise RuntimeError(f"Cannot read the peak memory of process {pid}: no VmHWM in its status")


def machine() -> dict:
    """CPU model, logical cores and memory of this machine."""
    with open("/proc/cpuinfo") as cpuinfo:
        models = [line.split(":", 1)[1].strip() for line in cpuinfo if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpu": models[0] if models else platform.machine(),
        "cores": os.cpu_count(),
        "memory_bytes": memory,
        "kernel": platform.release(),
    }


def captured(update, images, labels, pool):
    """A function that replays `update` of the batch, whose loss it returns, from a CUDA graph."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(GRAPH_WARM_UP):
            update(images, labels)
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, pool=pool):
        loss = update(images, labels)

    def step() -> float:
        graph.replay()
        return loss.item()

    return step


def supernet_steps(net: Supernet, images, labels, *, graph: bool) -> dict:
    """Steps by name, each a function that returns its loss (of `eval`, the mean logit)."""
    trainer = Trainer(net, capturable=graph)
    steps = {
        "weight": lambda: trainer.weight_step(images, labels),
        "alpha": lambda: trainer.alpha_step(images, labels),
        "eval": lambda: trainer.evaluate(images).mean().item(),
    }
    if graph:
        pool = torch.cuda.graph_pool_handle()  # one for both: no two run at the same time
        for step in ("weight", "alpha"):
            steps[step] = captured(getattr(trainer, f"{step}_update"), images, labels, pool)
    return steps


def network_steps(net: Network, images, labels, *, graph: bool) -> dict:
    """The same of the evaluation network, half way to the last epoch's drop path."""
    trainer, drop_path = NetworkTrainer(net, epochs=1), DropPath(DROP_PATH_RATE / 2)

    def update(images, labels):
        return trainer.update(images, labels, drop_path)

    return {
        "training": captured(update, images, labels, torch.cuda.graph_pool_handle()) if graph
        else lambda: update(images, labels).item(),
        "inference": lambda: trainer.evaluate(images).mean().item(),
    }


class Bench:
    """A network and one batch, in the layout asked; each call of `run` times one step."""

    def __init__(self, *, network: str, batch: int, layers: int, channels: int, layout: str, seed: int,
                 kept: int = len(PRIMITIVES), device: str = "cpu", graph: bool = False):
        torch.manual_seed(seed)
        layout = torch.channels_last if layout == "channels_last" else torch.contiguous_format
        images = torch.randn(batch, 3, IMAGE_SIZE, IMAGE_SIZE)
        self.images = images.to(device).contiguous(memory_format=layout)
        labels = torch.randint(CLASSES, (batch,)).to(device)
        if network == "supernet":
            left = [list(range(len(PRIMITIVES)))[-kept:]] * EDGES
            net = Supernet(channels=channels, layers=layers, classes=CLASSES, kept_normal=left,
                           kept_reduce=left).to(device, memory_format=layout)
            self.weight_count = count_weights(net)
            self.steps = supernet_steps(net, self.images, labels, graph=graph)
        else:
            net = Network(GENOTYPES["PDARTS"], channels=channels, layers=layers)
            self.weight_count = count_parameters(net)
            net = net.to(device, memory_format=layout)
            self.steps = network_steps(net, self.images, labels, graph=graph)

    def run(self, step: str) -> dict:
        """Time one step: its milliseconds, and its loss or mean logit."""
        start = time.perf_counter()
        value = self.steps[step]()
        if self.images.is_cuda:  # the optimiser's step comes after the loss
            torch.cuda.synchronize()
        return {"step": step, "ms": (time.perf_counter() - start) * 1e3, "loss": value}


def answer(bench: Bench, line: str) -> dict:
    """The reply to one line of the protocol."""
    match line.split():
        case ["run", step] if step in bench.steps:
            return bench.run(step)
        case ["memory"]:
            return {"peak_rss_bytes": peak_rss_bytes(),
                    "peak_device_bytes": torch.cuda.max_memory_allocated()}
        case ["memory", pid] if pid.isdigit():
            return {"peak_rss_bytes": peak_rss_bytes(pid)}
        case ["machine"]:
            return machine()
    steps = "|".join(bench.steps)
    return {"error": f"Cannot answer {line.strip()!r}: expected run {steps}, memory or machine"}


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", choices=["supernet", "evaluation"], default="supernet")
    parser.add_argument("--batch", type=int, default=96)
    parser.add_argument("--layers", type=int, default=5)
    parser.add_argument("--channels", type=int, default=16)
    parser.add_argument("--kept", type=int, choices=range(1, len(PRIMITIVES) + 1), metavar="N",
                        default=len(PRIMITIVES), help="the last N primitives are left on each edge")
    parser.add_argument("--layout", choices=["nchw", "channels_last"], default="nchw")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--step", choices=["weight", "alpha", "eval", "training", "inference"],
                        default="weight")
    parser.add_argument("--steps", type=int, default=3, help="timed steps, after one untimed")
    parser.add_argument("--benchmark", action="store_true",
                        help="let cuDNN measure which of its algorithms are fastest")
    parser.add_argument("--graph", action="store_true",
                        help="replay training steps from CUDA graphs; needs --device cuda")
    parser.add_argument("--serve", action="store_true", help="answer the line protocol")
    options = parser.parse_args()
    if options.graph and options.device != "cuda":
        parser.error("--graph needs --device cuda")
    if options.device == "cuda" and not torch.cuda.is_available():
        parser.error("--device cuda: PyTorch finds no card")
    return options


def main() -> None:
    options = parse_arguments()
    torch.set_num_threads(options.threads)
    torch.backends.cudnn.benchmark = options.benchmark
    bench = Bench(network=options.network, batch=options.batch, layers=options.layers,
                  channels=options.channels, kept=options.kept, layout=options.layout,
                  seed=options.seed, device=options.device, graph=options.graph)
    facts = {"torch": torch.__version__, "threads": torch.get_num_threads(),
             "layout": options.layout, "weights": bench.weight_count}
    if options.serve:
        print(json.dumps({"ready": True} | facts), flush=True)
        for line in sys.stdin:
            print(json.dumps(answer(bench, line)), flush=True)
        return
    bench.run(options.step)
    ms = [round(bench.run(options.step)["ms"], 1) for _ in range(options.steps)]
    print(json.dumps({"ms": ms, "peak_rss_bytes": peak_rss_bytes(), "step": options.step} | facts))


if __name__ == "__main__":
    main()
