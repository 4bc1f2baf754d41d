"""Reads back what the emulator got of the tasks and holds it against their volumes: results.py BUCKET VOLUMES

The tasks mlp and cnn are whole runs, stopped and resumed are parts of one run of cnn in the volume of the first. Ends
with the table of the runs, in Markdown.
"""

import json
import sys
from pathlib import Path

import boto3
from metric_filter import json_object, observation

LOG_GROUP = "/ecs/mnist-training"
WHOLE = {"mlp": "0001-mlp", "cnn": "0001-cnn"}
# The last epoch of the run whose place this one takes: an mlp, too.
REFERENCE = {"train_loss": 0.0760, "train_accuracy": 0.9759, "test_loss": 0.0749, "test_accuracy": 0.9768}


def lines(stream):
    """The messages of a log stream, in order."""
    logs, token, found = boto3.client("logs"), None, []
    while True:
        more = {"nextToken": token} if token else {}
        page = logs.get_log_events(logGroupName=LOG_GROUP, logStreamName=stream, startFromHead=True, **more)
        found += [event["message"] for event in page["events"]]
        if page["nextForwardToken"] == token:
            return found
        token = page["nextForwardToken"]


def published(definitions, line):
    """What the filters make of a line, after checking that they agree with what the line is."""
    event = json_object(line) or {}
    wanted = event.get("event") == "epoch" and event["epoch"] > 0
    found = {}
    for definition in definitions:
        seen = observation(definition, line)
        assert (seen is not None) == wanted, f"{definition['filterName']} and {line}"
        if seen:
            metric, dimensions, value = seen
            assert (dimensions, value) == ({"model": event["model"]}, event[metric]), line
            found[metric] = value
    return found | {"epoch": event["epoch"]} if wanted else None


def saved(bucket, task, volume):
    """The files that the saver copied are those of the volume."""
    s3 = boto3.client("s3")
    keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket, Prefix=f"{task}/")["Contents"]]
    files = {f"{task}/{path.relative_to(volume)}": path for path in volume.rglob("*") if path.is_file()}
    assert sorted(keys) == sorted(files), f"{keys} in the bucket, {sorted(files)} in the volume"
    for key, path in files.items():
        assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == path.read_bytes(), key
    return len(keys)


def row(model, epoch, values, rate=""):
    cells = [f"{values[name]:.4f}" if "loss" in name else f"{100 * values[name]:.2f} %" for name in REFERENCE]
    return f"| {model} | {epoch} | {' | '.join(cells)} | {rate} |"


def main(bucket, volumes):
    definitions = boto3.client("logs").describe_metric_filters(logGroupName=LOG_GROUP)["metricFilters"]
    assert len(definitions) == 5, definitions
    of_task = {task: lines(f"mnist/trainer/{task}") for task in ("mlp", "cnn", "stopped", "resumed")}
    metrics = {task: [published(definitions, line) for line in found] for task, found in of_task.items()}
    every = [line for found in of_task.values() for line in found]
    others = [line for line in every if published(definitions, line) is None]
    kinds = [(json_object(line) or {"event": "text"})["event"] for line in others]
    # Beginnings, the untrained network, ends, and what is no JSON: each kind is there, so that each has been tried.
    assert {"start", "epoch", "end", "text"} <= set(kinds), kinds

    table = [
        "| model | epoch | train loss | train accuracy | test loss | test accuracy | images/s |",
        "|---|---:|---:|---:|---:|---:|---:|",
        row("the reference run", 5, REFERENCE),
    ]
    for task, run in WHOLE.items():
        epochs = [values for values in metrics[task] if values]
        record = json.loads((Path(volumes) / task / "_data" / run / "run.json").read_text())
        names = list(epochs[0])
        assert epochs == [{name: entry[name] for name in names} for entry in record["epochs"][1:]], task
        table += [row(task, values["epoch"], values, f"{values['images_per_second']:,.0f}") for values in epochs]
        last = epochs[-1]
        assert last["epoch"] == 5
        worse = [name for name, bound in REFERENCE.items() if (last[name] >= bound) == ("loss" in name)]
        assert not worse, f"{task} is not better than the reference run: {worse}"
    parts = [values["test_loss"] for task in ("stopped", "resumed") for values in metrics[task] if values]
    assert parts == [values["test_loss"] for values in metrics["cnn"] if values], "other figures after resuming"

    copied = sum(saved(bucket, task, Path(volumes) / task / "_data") for task in WHOLE)
    print(f"lines read back: {len(every)}; matched by all {len(definitions)} filters: {len(every) - len(others)}, ", end="")
    print(f"by none: {len(others)}")
    print(f"files that the saver put into the bucket, equal to the volumes': {copied}\n")
    print("\n".join(table))


if __name__ == "__main__":
    main(*sys.argv[1:])
