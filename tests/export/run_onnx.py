#!/usr/bin/env python3
"""Runs an exported model in ONNX Runtime over MNIST's test images and prints how far its log-probabilities are from ours.

    pip install onnx onnxruntime numpy
    python tests/export/run_onnx.py MODEL.onnx IMAGES OURS

IMAGES is the raw IDX file of the test images; OURS holds our log-probabilities, little-endian floats.
"""
import json
import sys

import numpy as np
import onnx
import onnxruntime

path, images, ours = sys.argv[1:]
model = onnx.load(path)
onnx.checker.check_model(model, full_check=True)
pixels = np.fromfile(images, np.uint8)[16:].reshape(-1, 1, 28, 28)
session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
if session.get_inputs()[0].type == "tensor(float)":
    pixels = pixels.astype(np.float32) / 255
# Batches of any size, one of a single image among them.
parts = np.split(pixels, [1, 1000, 4000])
theirs = np.concatenate([session.run(None, {"images": part})[0] for part in parts])
ours = np.fromfile(ours, "<f4").reshape(theirs.shape)
properties = {entry.key: entry.value for entry in model.metadata_props}
print(json.dumps({
    # Of a log-probability of -60 a float's last bit alone is 4e-6: beyond 1, relative.
    "difference": float((np.abs(theirs - ours) / np.maximum(1, np.abs(ours))).max()),
    "images": len(theirs),
    "classes": json.loads(properties["classes"]),
    "onnxruntime": onnxruntime.__version__,
}))
