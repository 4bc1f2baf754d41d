#!/usr/bin/env python3
"""Evaluates a model that mnist-gpu trained with PyTorch alone, and prints what `mnist-gpu eval --json` should.

    pip install torch safetensors
    python tests/export/eval_pytorch.py model.safetensors DIR

DIR holds the two raw IDX files of the test images, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte. The network is
built from the tensors' names and the list of layers in the metadata; nothing of the project is used.
"""
import json
import pathlib
import struct
import sys

import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch.nn import functional


def idx(path):
    """An IDX file of bytes: two zeros, the type 8, the number of dimensions, the dimensions, the bytes."""
    data = bytearray(path.read_bytes())
    dimensions = data[3]
    assert data[:3] == b"\0\0\x08", f"{path} is not an IDX file of bytes"
    shape = struct.unpack_from(f">{dimensions}I", data, 4)
    return torch.frombuffer(data, dtype=torch.uint8, offset=4 + 4 * dimensions).reshape(shape)


class Network:
    """A list of layers; those with parameters are numbered in PyTorch's manner: conv1, conv2, fc1, …"""

    def __init__(self, layers, parameters):
        self.parameters = parameters
        self.used = set()
        self.layers = [self.layer(layer) for layer in layers]
        unused = set(parameters) - self.used
        assert not unused, f"no layer has the tensors {sorted(unused)}"

    def layer(self, layer):
        """A layer as a function; `layer` is "kind" or {"kind": {attribute: value}}."""
        (kind, attributes), = layer.items() if isinstance(layer, dict) else [(layer, {})]
        return getattr(self, kind)(**attributes)

    def take(self, prefix):
        """Weight and bias of the next layer whose name begins so."""
        number = 1 + sum(name.startswith(prefix) and name.endswith(".weight") for name in self.used)
        names = [f"{prefix}{number}.weight", f"{prefix}{number}.bias"]
        self.used.update(names)
        return [self.parameters[name] for name in names]

    def linear(self, outputs):
        weight, bias = self.take("fc")
        assert weight.shape[0] == outputs, f"{weight.shape} does not have {outputs} outputs"
        return lambda x: functional.linear(x.flatten(1), weight, bias)

    def conv2d(self, channels, kernel, stride=(1, 1), padding=(0, 0)):
        weight, bias = self.take("conv")
        assert [weight.shape[0], *weight.shape[2:]] == [channels, *kernel], f"{weight.shape} is not {channels, kernel}"
        return lambda x: functional.conv2d(x, weight, bias, stride, padding)

    def max_pool(self, size, stride=None):
        return lambda x: functional.max_pool2d(x, size, stride)

    def relu(self):
        return functional.relu

    def dropout(self, rate):
        return lambda x: x

    def __call__(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


def main(weights, folder):
    torch.set_grad_enabled(False)
    with safe_open(weights, "pt") as file:
        metadata = json.loads(file.metadata()["mnist-gpu"])
    network = Network(metadata["model"]["layers"], load_file(weights))
    images = idx(folder / "t10k-images-idx3-ubyte").unsqueeze(1)
    labels = idx(folder / "t10k-labels-idx1-ubyte").long()
    loss = correct = 0
    for batch, label in zip(images.split(500), labels.split(500)):
        logits = network((batch / 255 - metadata["mean"]) / metadata["std"])
        loss += functional.cross_entropy(logits.double(), label, reduction="sum").item()
        correct += (logits.argmax(1) == label).sum().item()
    figures = {"loss": loss / len(labels), "accuracy": correct / len(labels), "images": len(labels)}
    print(json.dumps({**figures, "torch": torch.__version__}))


if __name__ == "__main__":
    main(sys.argv[1], pathlib.Path(sys.argv[2]))
