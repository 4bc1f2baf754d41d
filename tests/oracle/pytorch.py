#!/usr/bin/env python3
"""Writes the fixtures that tests/oracle/pytorch.rs reads: what PyTorch makes of the first ten steps of each model.

    pip install torch numpy safetensors
    python tests/oracle/pytorch.py --data DIR [--out tests/oracle/fixtures]

DIR holds the two raw IDX files of MNIST's training set. The output says, per tensor, how far PyTorch's float32 is from
the same computation in float64; the tolerances in pytorch/tolerance.rs come from there and from pytorch_distances.py.

Nothing of the project is used: threefry, the order of the epoch, initial weights and dropout masks are written here
again, so that a fixture needs no weights, only its seed. Batches are of 64 images, in the order of epoch 0.

Every file holds tensors by these names; the one metadata key `fixture` is sorted JSON.

    <model>.safetensors (linear, mlp, cnn, lenet, convnet), float32 if not said otherwise
      seed u32 [1], indices u32 [10, 64] of the images of each step
      images u8 [64, 784] and labels u8 [64] of step 1, normalisation [2] (scale and shift)
      loss [1]                                   mean loss of step 1
      gradient.<parameter>                       gradient of step 1
      <optimizer>.losses [10]                    mean losses of steps 1 to 10
      <optimizer>.parameter.<parameter>          after step 10
    A tensor of more than 20,000 elements is written as two:
      <name>.summary f64 [6]      number of elements, L2 norm, dot products with 4 vectors of signs; element i of
                                  vector j is +1 where bit 0 of the first word of threefry(key (0, 5), counter
                                  (1 + j, i)) is set, else -1
      <name>.samples [4096]       sample s is element (first word of threefry(key (0, 5), counter (0, s))) mod length
    optimizers.safetensors, float64: PyTorch's optimizers alone
      start [7], gradients [5, 7], <optimizer> [7] after 5 steps
"""
import argparse
import json
import os

import numpy as np
import torch
from safetensors.numpy import save_file
from torch import nn
from torch.nn import functional

BATCH, STEPS = 64, 10
INIT, ORDER, DROPOUT, FIXTURE = 1, 2, 3, 5
WHOLE, SAMPLES, PROJECTIONS = 20_000, 4096, 4
# Seeds for which no activation comes so close to a kink that rounding decides (see pytorch_distances.py).
SEEDS = {"linear": 1, "mlp": 1, "cnn": 8, "lenet": 2, "convnet": 6}

OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9),
    "adamw": lambda p: torch.optim.AdamW(p, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01),
    "sgd_nesterov": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True, weight_decay=1e-4),
    "adam": lambda p: torch.optim.Adam(p, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-4),
    "sgd_plain": lambda p: torch.optim.SGD(p, lr=0.05),
}


def threefry(key, counter0, counter1):
    """First word of Threefry-2x32-20; the counter's words are arrays or numbers. Salmon et al., SC 2011."""
    x0, x1 = (np.atleast_1d(np.asarray(c)).astype(np.uint32) for c in np.broadcast_arrays(counter0, counter1))
    k0, k1 = (np.array([k], np.uint32) for k in key)
    keys = [k0, k1, np.uint32(0x1BD11BDA) ^ k0 ^ k1]
    x0, x1 = x0 + keys[0], x1 + keys[1]
    for i in range(20):
        rotation = np.uint32((13, 15, 26, 6, 17, 29, 16, 24)[i % 8])
        x0 = x0 + x1
        x1 = (x1 << rotation | x1 >> np.uint32(32 - rotation)) ^ x0
        if i % 4 == 3:
            r = i // 4 + 1
            x0, x1 = x0 + keys[r % 3], x1 + keys[(r + 1) % 3] + np.uint32(r)
    threefry.second = x1
    return x0


def known_answers():
    """The published ones: tests/kat_vectors in Random123's source, `threefry2x32 20`."""
    for key, counter, answer in (
        ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
        ((0xFFFFFFFF, 0xFFFFFFFF), (0xFFFFFFFF, 0xFFFFFFFF), (0x1CB996FC, 0xBB002BE7)),
        ((0x13198A2E, 0x03707344), (0x243F6A88, 0x85A308D3), (0xC4923A9C, 0x483DF7A0)),
    ):
        assert (int(threefry(key, *counter)[0]), int(threefry.second[0])) == answer, key


def uniform(key, counter0, counter1):
    """In [0, 1), 24 bits, float32."""
    return (threefry(key, counter0, counter1) >> np.uint32(8)).astype(np.float32) * np.float32(2.0**-24)


def permutation(seed, stream, count, positions):
    """A four-round Feistel network on the next power of four, walked until it falls inside the range."""
    half = 1
    while 4**half < count:
        half += 1
    mask = np.uint32(2**half - 1)

    def network(value):
        left, right = value >> np.uint32(half), value & mask
        for r in range(4):
            left, right = right, left ^ (threefry((seed, ORDER), stream, np.uint32(r << 16) | right) & mask)
        return left << np.uint32(half) | right

    value = network(positions.astype(np.uint32))
    while (value >= count).any():
        value = np.where(value >= count, network(value), value)
    return value


class Dropout(nn.Module):
    """Multiplies by the mask of the step: 1 / (1 - p) where the uniform number of the element is at least p, else 0."""

    def __init__(self, seed, layer, p):
        super().__init__()
        self.key, self.p, self.step = (seed, DROPOUT | layer << 8), p, 0

    def forward(self, x):
        u = uniform(self.key, self.step, np.arange(x.numel()))
        mask = torch.from_numpy(u >= np.float32(self.p)).reshape(x.shape)
        return x * (mask.to(x.dtype) / (1 - self.p))


def network(model, seed):
    """The layers; those with parameters are named conv1, conv2, ... and fc1, fc2, ... in their order."""
    relu, pool, flat = nn.ReLU, lambda: nn.MaxPool2d(2), nn.Flatten
    layers = {
        "linear": lambda: [flat(), nn.Linear(784, 10)],
        "mlp": lambda: [flat(), nn.Linear(784, 128), relu(), nn.Linear(128, 10)],
        "cnn": lambda: [nn.Conv2d(1, 24, 5), relu(), pool(), nn.Conv2d(24, 32, 3), relu(), pool(),
                        flat(), nn.Linear(800, 256), relu(), nn.Linear(256, 10)],
        "lenet": lambda: [nn.Conv2d(1, 16, 5, padding=2), relu(), pool(), nn.Conv2d(16, 32, 5, padding=2),
                          relu(), pool(), flat(), nn.Linear(1568, 10)],
        "convnet": lambda: [nn.Conv2d(1, 32, 3), relu(), nn.Conv2d(32, 64, 3), relu(), pool(), flat(),
                            Dropout(seed, 0, 0.25), nn.Linear(9216, 128), relu(),
                            Dropout(seed, 1, 0.5), nn.Linear(128, 10)],
    }[model]()
    net, seen = nn.Sequential(), {"conv": 0, "fc": 0, "other": 0}
    for layer in layers:
        kind = "conv" if isinstance(layer, nn.Conv2d) else "fc" if isinstance(layer, nn.Linear) else "other"
        seen[kind] += 1
        net.add_module(f"{kind}{seen[kind]}", layer)
    stream = 0
    with torch.no_grad():
        for module in net:
            for parameter in module.parameters():  # weight, then bias
                bound = np.float32(1 / np.sqrt(module.weight[0].numel()))  # fan_in
                u = uniform((seed, INIT), stream, np.arange(parameter.numel()))
                parameter.copy_(torch.from_numpy(bound * (2 * u - 1)).reshape(parameter.shape))
                stream += 1
    return net


def read(folder):
    """All pixels and labels, and (scale, shift)."""
    pixels = np.fromfile(os.path.join(folder, "train-images-idx3-ubyte"), np.uint8)[16:].reshape(-1, 784)
    labels = np.fromfile(os.path.join(folder, "train-labels-idx1-ubyte"), np.uint8)[8:]
    histogram = np.bincount(pixels.ravel(), minlength=256)
    total, squares = (int((histogram * np.arange(256) ** e).sum()) for e in (1, 2))  # exact: integers
    mean = total / pixels.size / 255
    deviation = float(np.sqrt(squares / pixels.size / 255**2 - mean**2))
    scale, shift = np.float32(1 / (255 * deviation)), np.float32(-mean / deviation)
    print(f"mean {mean!r}, standard deviation {deviation!r}, scale {scale!r}, shift {shift!r}")
    return pixels, labels, np.array([scale, shift])


def batches(seed, pixels, labels, normalisation):
    """The indices of the images of each step, and the normalised images with their labels."""
    indices = permutation(seed, 0, len(pixels), np.arange(STEPS * BATCH)).reshape(STEPS, BATCH)
    scale, shift = normalisation.astype(np.float64)
    # The product is exact in float64, so that there is one rounding but for the sum's: fma(pixel, scale, shift).
    x = [(pixels[i] * scale + shift).astype(np.float32) for i in indices]
    return indices, [(torch.from_numpy(x).reshape(-1, 1, 28, 28), torch.from_numpy(labels[i].astype(np.int64)))
                     for x, i in zip(x, indices)]


def train(net, optimizer, batches, dtype):
    """Ten steps: the losses, the gradients of step 1 and the final parameters."""
    net = net.to(dtype)
    opt = OPTIMIZERS[optimizer](net.parameters())
    losses, gradients = [], {}
    for step, (x, y) in enumerate(batches, 1):
        for module in net:
            if isinstance(module, Dropout):
                module.step = step
        opt.zero_grad()
        loss = functional.nll_loss(functional.log_softmax(net(x.to(dtype)), 1), y)
        loss.backward()
        losses.append(loss.item())
        if step == 1:
            gradients = {k: p.grad.clone() for k, p in net.named_parameters()}
        opt.step()
    return torch.tensor(losses, dtype=dtype), gradients, {k: p.detach() for k, p in net.named_parameters()}


def put(tensors, name, value, exact):
    """Adds a tensor to the file, whole or in parts, and prints its distance from float64's."""
    value, exact = value.numpy(), exact.numpy()
    away, n = np.abs(value - exact), value.size
    print(f"  {name:40} n {n:8}  largest {np.abs(exact).max():.2e}  float32 off by: most {away.max():.2e}, "
          f"of the largest {away.max() / np.abs(exact).max():.2e}, over 1e-5: {(away > 1e-5).sum()}")
    if n <= WHOLE:
        tensors[name] = value
        return
    flat = value.ravel()
    wide = flat.astype(np.float64)
    bits = [threefry((0, FIXTURE), 1 + j, np.arange(n)) & np.uint32(1) for j in range(PROJECTIONS)]
    signs = [np.where(b, 1.0, -1.0) for b in bits]
    tensors[f"{name}.summary"] = np.array([n, np.linalg.norm(wide), *(s @ wide for s in signs)])
    tensors[f"{name}.samples"] = flat[threefry((0, FIXTURE), 0, np.arange(SAMPLES)) % np.uint32(n)]


def write(out, name, tensors):
    about = json.dumps({"name": name, "torch": torch.__version__.split("+")[0]}, sort_keys=True)
    path = os.path.join(out, f"{name}.safetensors")
    save_file({k: np.ascontiguousarray(v) for k, v in tensors.items()}, path, {"fixture": about})
    os.chmod(path, 0o644)


def optimizers(out):
    """Five steps of each optimizer in float64, with gradients that depend on nothing."""
    numbers = 2 * uniform((0, FIXTURE), 100, np.arange(42)).astype(np.float64) - 1
    tensors = {"start": numbers[:7], "gradients": numbers[7:].reshape(5, 7)}
    for name, make in OPTIMIZERS.items():
        p = torch.tensor(tensors["start"], requires_grad=True)
        opt = make([p])
        for g in tensors["gradients"]:
            p.grad = torch.from_numpy(g.copy())
            opt.step()
        tensors[name] = p.detach().numpy()
    write(out, "optimizers", tensors)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True, help="folder of train-images-idx3-ubyte and train-labels-idx1-ubyte")
    parser.add_argument("--out", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "fixtures"))
    a = parser.parse_args()
    torch.set_num_threads(1)  # one order of summation, so that the same PyTorch writes the same bytes
    torch.use_deterministic_algorithms(True)
    known_answers()
    os.makedirs(a.out, exist_ok=True)

    pixels, labels, normalisation = read(a.data)
    optimizers(a.out)

    for model, seed in SEEDS.items():
        indices, steps = batches(seed, pixels, labels, normalisation)
        tensors = dict(seed=np.array([seed], np.uint32), indices=indices, images=pixels[indices[0]],
                       labels=labels[indices[0]], normalisation=normalisation)
        for optimizer in ("sgd", "adamw", "sgd_nesterov", "adam") if model == "linear" else ("sgd", "adamw"):
            print(model, optimizer, flush=True)
            single, double = (train(network(model, seed), optimizer, steps, t) for t in (torch.float32, torch.float64))
            if optimizer == "sgd":
                put(tensors, "loss", single[0][:1], double[0][:1])
                for name in single[1]:
                    put(tensors, f"gradient.{name}", single[1][name], double[1][name])
            put(tensors, f"{optimizer}.losses", single[0], double[0])
            for name in single[2]:
                put(tensors, f"{optimizer}.parameter.{name}", single[2][name], double[2][name])
        write(a.out, model, tensors)


if __name__ == "__main__":
    main()
