"""Makes the parity fixtures: reference numbers of small supernets and of single ops.

Run `python make_fixtures.py [FOLDER]` (default: tests/fixtures/pytorch). Each network case
is a pair of files: `<case>_state.safetensors`, a plain PyTorch state dict, and
`<case>_expected.safetensors`, inputs and results; index.json says what they hold.

References are computed in float64 from float32 values, then rounded to float32. A ReLU or
a max-pool whose inputs nearly tie may choose differently in float32, so a case takes the
first seed at which no input comes near a tie, and at which a float32 run of the same network
agrees with float64 within TOLERANCE everywhere.
"""

import copy
import json
import pathlib
import sys

import torch
from torch import nn
from torch.nn import functional as F

import safetensors
from operations import FactorizedReduce
from step import Trainer
from supernet import EDGES, PRIMITIVES, MixedOp, Supernet

STEPS = 3  # steps of each sequence, and batches stored
TOLERANCE = 2e-5  # of float32 against float64: max |a - b| / max |b| per tensor
FLOOR = 1e-3  # a tensor's scale counts as at least this much of the largest of its group
MARGIN = 1e-5  # least distance to a tie, in units of the tensor's standard deviation
CASES = {
    "stage1": dict(channels=2, layers=3, kept=8, size=8, batch=6, seed=100),
    "stage2": dict(channels=2, layers=5, kept=5, size=12, batch=4, seed=200),
    "stage3": dict(channels=4, layers=3, kept=3, size=16, batch=3, seed=300),
}
ABOUT = (
    "Made by bench/peers/pytorch/make_fixtures.py; its README says what each tensor is. "
    "Weights are in PyTorch's layout, images NHWC. Vectors concatenate tensors in the order "
    "of the state file."
)
FOLDER = pathlib.Path(__file__).parents[3] / "tests" / "fixtures" / "pytorch"


def kept_lists(count: int) -> list[list[int]]:
    """`count` primitives for each edge, ascending, at random."""
    return [sorted(torch.randperm(len(PRIMITIVES))[:count].tolist()) for _ in range(EDGES)]


def build(case: dict, seed: int):
    """The case's network in float64, its batches, and its kept lists. All from the seed."""
    torch.manual_seed(seed)
    kept = {"kept_normal": kept_lists(case["kept"]), "kept_reduce": kept_lists(case["kept"])}
    net = Supernet(channels=case["channels"], layers=case["layers"], **kept)
    with torch.no_grad():  # away from the special values that would hide a mistake
        net.stem[1].weight.uniform_(0.5, 1.5)
        net.stem[1].bias.uniform_(-0.5, 0.5)
        for alphas in net.alphas():
            alphas.normal_()
    images = torch.randn(STEPS, case["batch"], 3, case["size"], case["size"])
    labels = torch.randint(10, (STEPS, case["batch"]))
    return net.double(), images.double(), labels, kept


def flat(tensors) -> torch.Tensor:
    return torch.cat([tensor.detach().reshape(-1) for tensor in tensors])


def running(net) -> dict[str, torch.Tensor]:
    """The running means and variances, in registration order."""
    return {name: b for name, b in net.named_buffers() if "running_" in name}


def results(net, images, labels) -> dict[str, dict[str, torch.Tensor]]:
    """Every reference value of a case: group -> name -> tensor. The net itself stays as it is."""
    first = Trainer(copy.deepcopy(net))
    logits, loss = first.gradients(images[0], labels[0])
    groups = {
        "logits": {"": logits},
        "loss": {"": torch.tensor([loss], dtype=images.dtype)},
        "gradient": {name: p.grad for name, p in first.net.named_weights()},
        "alphas_normal.gradient": {"": first.net.alphas_normal.grad},
        "alphas_reduce.gradient": {"": first.net.alphas_reduce.grad},
        "running_after_forward": running(first.net),
    }
    a = Trainer(copy.deepcopy(net))
    for step in range(STEPS):
        a.weight_step(images[step], labels[step])
    if net.alphas_normal.shape[1] == len(PRIMITIVES):  # stage 1 alone, to keep the files small
        groups["a.weights"] = dict(a.net.named_weights())
    groups["a.evaluation_logits"] = {"": a.evaluate(images[0])}

    b = Trainer(copy.deepcopy(net))
    for step in range(STEPS):
        other = (step + 1) % STEPS
        b.alpha_step(images[other], labels[other])
        b.weight_step(images[step], labels[step])
    groups["b.weights"] = dict(b.net.named_weights())
    groups["b.alphas_normal"] = {"": b.net.alphas_normal}
    groups["b.alphas_reduce"] = {"": b.net.alphas_reduce}
    groups["b.running"] = running(b.net)
    groups["b.evaluation_logits"] = {"": b.evaluate(images[0])}
    return groups


def worst_error(got: dict, want: dict) -> float:
    """Largest relative error over all tensors of all groups."""
    worst = 0.0
    for group, tensors in want.items():
        floor = FLOOR * max(tensor.abs().max() for tensor in tensors.values())
        for name, tensor in tensors.items():
            error = (got[group][name].double() - tensor).abs().max()
            worst = max(worst, (error / torch.maximum(tensor.abs().max(), floor)).item())
    return worst


def tie_margin(net, images) -> float:
    """Least distance of a ReLU input to 0, or of a max-pool's winner to its second."""
    margins = []

    def at_relu(x):
        margins.append((x.abs().min() / x.std()).item())

    def at_pool(pool, x):
        padded = F.pad(x, (1, 1, 1, 1), value=-1e30)
        windows = padded.unfold(2, 3, pool.stride).unfold(3, 3, pool.stride).flatten(-2)
        best = windows.topk(2).values
        margins.append(((best[..., 0] - best[..., 1]).min() / x.std()).item())

    net = copy.deepcopy(net)
    for module in net.modules():
        if isinstance(module, (nn.ReLU, FactorizedReduce)):
            module.register_forward_pre_hook(lambda _, inputs: at_relu(inputs[0]))
        if isinstance(module, nn.MaxPool2d):
            module.register_forward_pre_hook(lambda pool, inputs: at_pool(pool, inputs[0]))
    with torch.no_grad():
        net(images)
    return min(margins)


def make_case(name: str, folder: pathlib.Path) -> dict:
    """Write one network case; returns its row of index.json."""
    case, seed = CASES[name], CASES[name]["seed"]
    while True:
        net, images, labels, kept = build(case, seed)
        margin = tie_margin(net, images[0])
        if margin > MARGIN:
            want = results(net, images, labels)
            error = worst_error(results(copy.deepcopy(net).float(), images.float(), labels), want)
            if error < TOLERANCE:
                break
        seed += 1
    state = dict(net.named_parameters()) | running(net)
    state |= {n: b for n, b in net.named_buffers() if n.endswith("num_batches_tracked")}
    expected = {"images": images.permute(0, 1, 3, 4, 2), "labels": labels}
    expected |= {
        group: tensors[""] if "" in tensors else flat(tensors.values()) for group, tensors in want.items()
    }
    norm = flat(want["gradient"].values()).norm().item()
    size = safetensors.save(folder / f"{name}_state.safetensors", state, {"format": "pt"})
    size += safetensors.save(folder / f"{name}_expected.safetensors", expected)
    print(f"{name}: seed {seed}, margin {margin:.1e}, float32 error {error:.1e}, "
          f"gradient norm {norm:.2f}, {size:,} bytes")
    row = case | {"seed": seed, "classes": 10} | kept
    row |= {"gradient_norm": norm, "float32_error": error, "tie_margin": margin}
    return row


def make_op(op: nn.Module, x, weights=None) -> dict[str, torch.Tensor]:
    """An op's state, input, output, and gradients for a random output gradient; NHWC inside."""
    op = op.double().train()
    inputs = [x.double().requires_grad_()] + ([] if weights is None else [weights.double().requires_grad_()])
    y = op(*inputs)
    dy = torch.randn_like(y, dtype=torch.float32).double()
    parameters = dict(op.named_parameters())
    gradients = torch.autograd.grad(y, inputs + list(parameters.values()), dy)
    values = {"x": x, "y": y, "dy": dy, "dx": gradients[0]}
    values = {name: value.permute(0, 2, 3, 1) for name, value in values.items()}
    if weights is not None:
        values |= {"edge_weights": weights, "edge_weights.gradient": gradients[1]}
    values |= {f"state.{name}": parameter for name, parameter in parameters.items()}
    names = [f"gradient.{name}" for name in parameters]
    return values | dict(zip(names, gradients[len(inputs):], strict=True))


def make_ops(folder: pathlib.Path) -> None:
    """Write ops.safetensors: a mixed edge of all primitives at stride 1 and 2; FactorizedReduce."""
    torch.manual_seed(400)
    every = list(range(len(PRIMITIVES)))
    cases = {
        "mixed_stride1": make_op(MixedOp(4, 1, kept=every), torch.randn(2, 4, 7, 7), torch.rand(8)),
        "mixed_stride2": make_op(MixedOp(4, 2, kept=every), torch.randn(2, 4, 8, 8), torch.rand(8)),
        "factorized_reduce": make_op(FactorizedReduce(5, 6, affine=False), torch.randn(2, 5, 8, 8)),
    }
    tensors = {f"{c}.{n}": tensor for c, values in cases.items() for n, tensor in values.items()}
    size = safetensors.save(folder / "ops.safetensors", tensors)
    print(f"ops: {size:,} bytes")


def main() -> None:
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    index = {"about": ABOUT, "torch": torch.__version__, "primitives": PRIMITIVES, "steps": STEPS}
    index["cases"] = {name: make_case(name, folder) for name in CASES}
    make_ops(folder)
    (folder / "index.json").write_text(json.dumps(index) + "\n")


if __name__ == "__main__":
    main()
