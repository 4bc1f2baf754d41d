"""What ECS would ask of Docker for a container of the stack's task definition: container.py CONTAINER TASK VOLUME

Prints the arguments of docker run, one a line: options, `IMAGE` where the image belongs, and the command. The task
definition is read from the emulator, with all that CloudFormation has put into it.
"""

import sys

import boto3


def arguments(container, task, volume):
    definition = boto3.client("ecs").describe_task_definition(taskDefinition="mnist-training")["taskDefinition"]
    wanted = next(entry for entry in definition["containerDefinitions"] if entry["name"] == container)
    if wanted.get("readonlyRootFilesystem"):
        yield "--read-only"
    for capability in wanted["linuxParameters"]["capabilities"]["drop"]:
        yield f"--cap-drop={capability}"
    if "user" in wanted:
        yield f"--user={wanted['user']}"
    for mount in wanted["mountPoints"]:
        mode = "ro" if mount.get("readOnly") else "rw"
        yield f"--volume={volume}:{mount['containerPath']}:{mode}"
    for entry in wanted["environment"]:
        yield f"--env={entry['name']}={entry['value']}"
    logs = wanted["logConfiguration"]
    options = dict(logs["options"])
    options["awslogs-stream"] = f"{options.pop('awslogs-stream-prefix')}/{container}/{task}"
    yield f"--log-driver={logs['logDriver']}"
    for key, value in options.items():
        yield f"--log-opt={key}={value}"
    entry_point = wanted.get("entryPoint", [])
    if entry_point:
        yield f"--entrypoint={entry_point[0]}"
    yield "IMAGE"
    yield from entry_point[1:]
    yield from wanted["command"]


if __name__ == "__main__":
    print("\n".join(arguments(*sys.argv[1:])))
