#!/usr/bin/env python3
"""Speed on a CPU: this program against PyTorch, JAX and ONNX Runtime, one after another in rounds.

    cargo build --release
    pip install torch jax onnx onnxruntime zstandard
    python benches/peers/compare.py [--rounds 3] [--only mlp cnn] [--peers pytorch onnxruntime]

Printed is a table of medians, with how many times as fast this program is; each measurement appears on stderr as it is
made. Every program runs in processes of its own, on all cores, in the fastest form found for it: PyTorch with channels
last, with fused optimizers and with memory that is kept, without and with torch.compile; JAX with a whole epoch in one
compiled loop. They have the images in memory as normalised floats before a clock starts. A whole process ends with the
weights of an epoch and their test accuracy on disk.
"""
import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from typing import NamedTuple

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
MNIST = os.path.join(HERE, "..", "..", "assets", "mnist")


class Work(NamedTuple):
    title: str
    model: str
    kind: str
    batch: int
    peers: list


WORK = {
    "mlp": Work("`mlp`, batch 64, SGD: training", "mlp", "training", 64, ["pytorch", "pytorch-compile", "jax"]),
    "cnn": Work("`cnn`, batch 256, AdamW: training", "cnn", "training", 256, ["pytorch", "pytorch-compile"]),
    "lenet": Work("`lenet`, batch 64, AdamW: training", "lenet", "training", 64, ["pytorch", "pytorch-compile"]),
    "convnet": Work("`convnet`, batch 64, AdamW: training", "convnet", "training", 64, ["pytorch", "pytorch-compile"]),
    "inference": Work("`lenet`: the 10,000 test images", "lenet", "inference", 1000, ["pytorch", "onnxruntime"]),
    "prediction": Work("`lenet`: one image at a time", "lenet", "prediction", 1, ["pytorch", "onnxruntime"]),
    "process": Work("`cnn`: a process that trains for an epoch", "cnn", "process", 256, ["pytorch"]),
}
UNITS = {"training": "images/s", "inference": "images/s", "prediction": "µs", "process": "s"}
# What a peer is called, and the package that it is.
NAMES = {
    "pytorch": ("PyTorch", "torch"),
    "pytorch-compile": ("torch.compile", "torch"),
    "jax": ("JAX", "jax"),
    "onnxruntime": ("ONNX Runtime", "onnxruntime"),
}
WARM_UP = 20
# Has glibc keep the memory of a step for the next one, which makes PyTorch up to 1.7 times as fast.
KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(2**30), "MALLOC_TRIM_THRESHOLD_": str(2**34)}


def prepare(program, folder):
    """Writes images as normalised floats [count, 1, 28, 28], labels, the models as JSON, and one for ONNX Runtime."""
    import zstandard

    for split in ("train", "t10k"):
        for kind, header in (("images-idx3", 16), ("labels-idx1", 8)):
            parts = sorted(file for file in os.listdir(MNIST) if file.startswith(f"{split}-{kind}"))
            unpacker = zstandard.ZstdDecompressor(max_window_size=2**31)
            raw = b"".join(zstandard.open(os.path.join(MNIST, part), dctx=unpacker).read() for part in parts)
            values = np.frombuffer(raw, np.uint8, offset=header)
            if kind == "images-idx3":
                values = ((values.reshape(-1, 1, 28, 28) / np.float32(255) - 0.1307) / 0.3081).astype(np.float32)
            np.save(os.path.join(folder, f"{split}-{kind[:6]}.npy"), values)
    for model in {work.model for work in WORK.values()}:
        with open(os.path.join(folder, f"{model}.json"), "wb") as file:
            subprocess.run([program, "models", model, "--json"], check=True, stdout=file)
    run = os.path.join(folder, "run")
    train = ["train", "--model", "lenet", "--epochs", "1", "--train-size", "600", "--device", "cpu", "--out", run]
    export = ["export", "onnx", run, "--pixels", "float", "-o", os.path.join(folder, "lenet.onnx")]
    for command in (train, export):
        subprocess.run([program, *command, "--quiet"], check=True)


def load(folder, split):
    return [np.load(os.path.join(folder, f"{split}-{kind}.npy")) for kind in ("images", "labels")]


def rate(step, images, seconds):
    """Images per second of a function that takes so many of them: the median of its calls, after a warm-up."""
    for _ in range(WARM_UP):
        step()
    began, times = time.perf_counter(), []
    while time.perf_counter() - began < seconds:
        clock = time.perf_counter()
        step()
        times.append(time.perf_counter() - clock)
    return images / statistics.median(times)


def modules(nn, layer):
    """PyTorch's for a layer that `mnist-gpu models NAME --json` prints. They find their sizes when they first run."""
    kind, about = next(iter(layer.items())) if isinstance(layer, dict) else (layer, {})
    if kind == "conv2d":
        yield nn.LazyConv2d(about["channels"], about["kernel"], about.get("stride", 1), about.get("padding", 0))
    elif kind == "max_pool":
        yield nn.MaxPool2d(about["size"], about.get("stride"))
    elif kind == "dropout":
        yield nn.Dropout(about["rate"])
    elif kind == "relu":
        yield nn.ReLU()
    else:
        yield from (nn.Flatten(), nn.LazyLinear(about["outputs"]))


def pytorch(folder, work, seconds, compiled):
    import torch
    from torch import nn
    from torch.nn import functional

    torch.manual_seed(1)
    spec = json.load(open(os.path.join(folder, f"{work.model}.json")))
    net = nn.Sequential(*(module for layer in spec["layers"] for module in modules(nn, layer)))
    net(torch.zeros(1, 1, 28, 28))
    convolutional = any("conv2d" in layer for layer in spec["layers"])
    if convolutional:
        net = net.to(memory_format=torch.channels_last)

    def split(name):
        images, labels = load(folder, name)
        return torch.from_numpy(images), torch.from_numpy(labels.astype(np.int64))

    if work.kind in ("inference", "prediction"):
        net.eval()
        images = split("t10k")[0][: None if work.kind == "inference" else 1]
        with torch.inference_mode():
            return rate(lambda: [net(part) for part in images.split(work.batch)], len(images), seconds)

    images, labels = split("train")
    if convolutional:
        optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3, betas=(0.7, 0.9), eps=1e-5, fused=True)
    else:
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1, fused=True)
    loss_of = lambda x, y: functional.cross_entropy(net(x), y)
    if compiled:
        loss_of = torch.compile(loss_of)

    def step(part):
        optimizer.zero_grad()
        loss_of(images[part], labels[part]).backward()
        optimizer.step()

    def parts():
        return torch.randperm(len(images)).split(work.batch)

    if work.kind == "training":
        whole = (part for epoch in itertools.count() for part in parts() if len(part) == work.batch)
        return rate(lambda: step(next(whole)), work.batch, seconds)

    order = parts()
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, total_steps=len(order), cycle_momentum=False)
    for part in order:
        step(part)
        scheduler.step()
    images, labels = split("t10k")
    with torch.inference_mode():
        right = sum((net(x).argmax(1) == y).sum().item() for x, y in zip(images.split(1000), labels.split(1000)))
    torch.save({"weights": net.state_dict(), "accuracy": right / len(images)}, os.path.join(folder, "weights.pt"))
    return right / len(images)


def jax(folder, work, seconds):
    """`mlp` alone."""
    import jax
    from jax import numpy as jnp

    images, labels = load(folder, "train")
    count = len(images) // work.batch * work.batch
    images, labels = jnp.asarray(images.reshape(-1, 784)), jnp.asarray(labels.astype(np.int32))
    keys = jax.random.split(jax.random.PRNGKey(1), 2)
    weights = [(jax.random.uniform(key, shape, minval=-1, maxval=1) / shape[0] ** 0.5, jnp.zeros(shape[1]))
               for key, shape in zip(keys, [(784, 128), (128, 10)])]

    def loss(weights, x, y):
        (w1, b1), (w2, b2) = weights
        logits = jax.nn.relu(x @ w1 + b1) @ w2 + b2
        return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], 1))

    def step(weights, part):
        gradient = jax.grad(loss)(weights, images[part], labels[part])
        return jax.tree.map(lambda w, g: w - 0.1 * g, weights, gradient), None

    epoch = jax.jit(lambda weights, parts: jax.lax.scan(step, weights, parts)[0])
    random = np.random.default_rng(1)

    def train():
        nonlocal weights
        parts = random.permutation(len(images))[:count].astype(np.int32).reshape(-1, work.batch)
        weights = jax.block_until_ready(epoch(weights, parts))

    return rate(train, count, seconds)


def onnxruntime(folder, work, seconds):
    """The model in an ONNX file that this program exported."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = os.cpu_count()
    session = onnxruntime.InferenceSession(os.path.join(folder, "lenet.onnx"), options)
    images = load(folder, "t10k")[0]
    count = len(images) if work.kind == "inference" else 1
    parts = [images[first : first + work.batch] for first in range(0, count, work.batch)]
    return rate(lambda: [session.run(None, {"images": part}) for part in parts], count, seconds)


def measure(peer, folder, work, seconds):
    """In a process of its own: what is measured goes to standard output as a number."""
    if peer == "jax":
        return jax(folder, work, seconds)
    if peer == "onnxruntime":
        return onnxruntime(folder, work, seconds)
    return pytorch(folder, work, seconds, peer == "pytorch-compile")


def ours(program, folder, work):
    """What `mnist-gpu bench` measures."""
    out = tempfile.mkdtemp(dir=folder)
    only = "processes" if work.kind == "process" else "steps"
    bench = ["bench", "--device", "cpu", "--model", work.model, "--only", only, "--out", out, "--quiet"]
    subprocess.run([program, *bench], check=True)
    device = json.load(open(os.path.join(out, "bench.json")))["devices"][0]
    if work.kind == "process":
        return next(row for row in device["processes"] if row["kind"] == "one epoch")["seconds"]["median"]
    rows = (row for row in device["steps"] if row["kind"] == work.kind)
    row = next(row for row in rows if work.kind != "training" or row["batch"] == work.batch)
    return row["images_per_second"]["median"]


def theirs(peer, folder, name, seconds):
    command = [sys.executable, __file__, "--measure", folder, peer, "--only", name, "--seconds", str(seconds)]
    clock = time.perf_counter()
    process = subprocess.run(command, check=True, stdout=subprocess.PIPE, env={**os.environ, **KEEP_MEMORY})
    value = float(process.stdout)
    return time.perf_counter() - clock if WORK[name].kind == "process" else value


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement")
    parser.add_argument("--only", nargs="+", choices=WORK, default=list(WORK))
    parser.add_argument("--peers", nargs="+", choices=NAMES, default=list(NAMES))
    parser.add_argument("--program", default=os.path.join(HERE, "..", "..", "target", "release", "mnist-gpu"))
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    a = parser.parse_args()
    if a.measure:
        folder, peer = a.measure
        print(measure(peer, folder, WORK[a.only[0]], a.seconds))
        return
    a.peers = [peer for peer in a.peers if any(peer in WORK[name].peers for name in a.only)]
    names = [called(peer) for peer in a.peers]
    program = os.path.abspath(a.program)
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        prepare(program, folder)
        for turn in range(a.rounds):
            for name in a.only:
                for peer in ["mnist-gpu", *(peer for peer in WORK[name].peers if peer in a.peers)]:
                    own = peer == "mnist-gpu"
                    value = ours(program, folder, WORK[name]) if own else theirs(peer, folder, name, a.seconds)
                    found.setdefault((name, peer), []).append(value)
                    print(f"round {turn + 1}, {name}: {peer} {value:,.5g}", file=sys.stderr, flush=True)
    print("| " + " | ".join(["work", "mnist-gpu", *names]) + " |")
    print("|---|" + "---:|" * (1 + len(a.peers)))
    for name in a.only:
        kind = WORK[name].kind
        own = statistics.median(found[name, "mnist-gpu"])
        cells = [f"{WORK[name].title}, {UNITS[kind]}", figure(kind, own)]
        for peer in a.peers:
            if (name, peer) not in found:
                cells.append("–")
                continue
            other = statistics.median(found[name, peer])
            ratio = other / own if kind == "process" else own / other
            cells.append(f"{figure(kind, other)} ({ratio:.1f} ×)")
        print(f"| {' | '.join(cells)} |")


def figure(kind, value):
    if kind == "process":
        return f"{value:.2f}"
    return f"{1e6 / value:.0f}" if kind == "prediction" else f"{value:,.0f}"


def called(peer):
    name, package = NAMES[peer]
    return f"{name} {version(package).split('+')[0]}"


if __name__ == "__main__":
    main()
