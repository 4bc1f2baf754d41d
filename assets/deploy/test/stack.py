"""Deploys aws/stack.yaml to the emulator and says what of it the emulator holds: stack.py TEMPLATE BUCKET

Where to is said by AWS_ENDPOINT_URL. What the emulator's CloudFormation cannot make is made by the API of the service.
"""

import sys
from pathlib import Path

import boto3
from cfnlint.decode.cfn_yaml import load

NAME = "mnist-training"


def camel(name):
    return name[0].lower() + name[1:]


def lower(value):
    """A value in CloudFormation's spelling as the services' APIs spell it: names begin with a small letter."""
    if isinstance(value, dict):
        return {camel(key): lower(inner) for key, inner in value.items()}
    return [lower(inner) for inner in value] if isinstance(value, list) else value


def put_metric_filter(name, properties, log_group):
    [metric] = properties["MetricTransformations"]
    transformation = lower({key: value for key, value in metric.items() if key != "Dimensions"})
    transformation["dimensions"] = {entry["Key"]: entry["Value"] for entry in metric["Dimensions"]}
    boto3.client("logs").put_metric_filter(
        logGroupName=log_group,
        filterName=name,
        filterPattern=properties["FilterPattern"],
        metricTransformations=[transformation],
    )


def main(template, bucket):
    text = Path(template).read_text()
    resources = load(template)["Resources"]
    place = {"LocationConstraint": boto3.session.Session().region_name}
    boto3.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration=place)
    subnets = [subnet["SubnetId"] for subnet in boto3.client("ec2").describe_subnets()["Subnets"]]
    parameters = {"Bucket": bucket, "Subnets": ",".join(subnets[:2])}
    formation = boto3.client("cloudformation")
    formation.create_stack(
        StackName=NAME,
        TemplateBody=text,
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
    )
    [stack] = formation.describe_stacks(StackName=NAME)["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE", stack
    listed = formation.describe_stack_resources(StackName=NAME)["StackResources"]
    made = {entry["LogicalResourceId"] for entry in listed if "LogicalResourceId" in entry}
    print(f"made by the stack: {', '.join(name for name in resources if name in made)}")

    missing = {name: entry for name, entry in resources.items() if name not in made}
    log_group = stack_parameter(stack, "LogGroup")
    for name, entry in missing.items():
        assert entry["Type"] == "AWS::Logs::MetricFilter", f"{name}: the emulator has no {entry['Type']}"
        put_metric_filter(name, entry["Properties"], log_group)
    print(f"not known to the emulator's CloudFormation, made by the API: {', '.join(missing)}")

    kept = boto3.client("ecs").describe_task_definition(taskDefinition=NAME)["taskDefinition"]
    lost = [
        name
        for name, value in resources["Task"]["Properties"].items()
        if kept.get(camel(name)) is None or (isinstance(value, str) and kept[camel(name)] != value)
    ]
    print(f"properties of the task definition that the emulator loses: {', '.join(lost) or 'none'}")


def stack_parameter(stack, name):
    return next(entry["ParameterValue"] for entry in stack["Parameters"] if entry["ParameterKey"] == name)


if __name__ == "__main__":
    main(*sys.argv[1:])
