#!/usr/bin/env python3
"""Reads an event file with TensorBoard's own reader and prints its scalars and pictures.

    pip install tensorboard
    python tests/export/read_tensorboard.py FOLDER
"""
import json
import struct
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

everything = {"scalars": 0, "images": 0}
events = EventAccumulator(sys.argv[1], size_guidance=everything)
events.Reload()
tags = events.Tags()
print(json.dumps({
    "scalars": {tag: [[event.step, event.value] for event in events.Scalars(tag)] for tag in tags["scalars"]},
    "images": {tag: [[image.width, image.height, *struct.unpack(">II", image.encoded_image_string[16:24])]
                     for image in events.Images(tag)] for tag in tags["images"]},
    "seconds": events.Scalars("loss/step")[-1].wall_time - events.Scalars("loss/step")[0].wall_time,
}))
