#!/usr/bin/env bash
# Runs the deployment of aws/stack.yaml as far as a machine without AWS can: the image in a real Docker daemon, its logs
# through Docker's own awslogs driver into an emulator of AWS on loopback, and the task definition as the emulator has it.
#   assets/deploy/test.sh
# needs root on Debian 12 for amd64, with Rust, Python and its venv module, and some 10 GB of disk; takes a quarter of an
# hour. Everything is kept in one temporary folder, and what was started or made is gone afterwards.
set -euo pipefail
cd "$(dirname "$0")/../.."

largest_layers=40000000
longest_start_ms=1000
longest_stop_ms=5000

bucket=mnist-runs

source assets/deploy/test/machine.sh

step() {
    local began=$SECONDS
    echo "== $*"
    "$@"
    echo "== $((SECONDS - began)) s: $*"
}

stack() {
    quietly "$scratch/venv/bin/cfn-lint" assets/deploy/aws/stack.yaml
    echo "cfn-lint: nothing to say"
    python assets/deploy/test/stack.py assets/deploy/aws/stack.yaml $bucket
}

image() {
    DOCKER_BUILDKIT=1 quietly docker build --network=none --build-arg RUST_IMAGE=rust:local --build-arg DEBIAN_IMAGE=base:local \
        --tag mnist-gpu .
    layers=$(($(docker image inspect --format '{{.Size}}' mnist-gpu) - $(docker image inspect --format '{{.Size}}' base:local)))
    [ $layers -lt $largest_layers ] || fail "the image has $layers bytes above its base, more than $largest_layers"
    [ "$(docker image inspect --format '{{.Config.User}}' mnist-gpu)" = 10001:10001 ] || fail "the image runs as root"
}

# Starts a container as the task definition says: TASK VOLUME CONTAINER IMAGE, with further options of docker run up to
# --, and a command in place of the definition's.
start() {
    local task=$1 volume=$2 container=$3 image=$4 options=() arguments index
    shift 4
    while [ $# -gt 0 ] && [ "$1" != -- ]; do options+=("$1"); shift; done
    shift || true
    mapfile -t arguments < <(python assets/deploy/test/container.py "$container" "$task" "$volume")
    for index in "${!arguments[@]}"; do [ "${arguments[index]}" != IMAGE ] || break; done
    local command=("${arguments[@]:index + 1}")
    if [ $# -gt 0 ]; then command=("$@"); fi
    docker run --detach --name "$task-$container" --security-opt=no-new-privileges "${arguments[@]:0:index}" \
        --log-opt=awslogs-endpoint="$AWS_ENDPOINT_URL" "${options[@]}" "$image" "${command[@]}" >/dev/null
}

ends_with() { [ "$(docker wait "$1")" = "$2" ] || { docker logs "$1" >&2; fail "$1 did not end with $2"; }; }
said() { docker logs "$1" 2>&1 | grep "$2" >/dev/null; }

# Runs a task of the stack to its end, as ECS does: the trainer, without a network here, and when it has succeeded the saver.
task() {
    local task=$1 port
    shift
    start "$task" "$task" trainer mnist-gpu --network=none "$@"
    ends_with "$task-trainer" 0
    "$scratch/venv/bin/python" assets/deploy/test/metadata.py "$task" "$scratch/$task.port" >/dev/null 2>&1 &
    started+=($!)
    wait_for "the task's metadata" test -s "$scratch/$task.port"
    port=$(cat "$scratch/$task.port")
    start "$task" "$task" saver aws-cli:local --network=host --env=AWS_ENDPOINT_URL="$AWS_ENDPOINT_URL" \
        --env=AWS_DEFAULT_REGION=$AWS_DEFAULT_REGION --env=ECS_CONTAINER_METADATA_URI_V4="http://127.0.0.1:$port/v4" \
        --env=AWS_CONTAINER_CREDENTIALS_FULL_URI="http://127.0.0.1:$port/credentials"
    ends_with "$task-saver" 0
}

threads() { docker logs "$1" 2>/dev/null | sed -n 's/.*"driver":"[^"]*, \([0-9]*\) threads\?".*/\1/p'; }

# mlp with a quota of one core; cnn as the stack has it, with all cores.
whole_runs() {
    task mlp --cpus=1 -- train --json --device cpu --model mlp --epochs 5
    [ "$(threads mlp-trainer)" = 1 ] || fail "with a quota of one core the trainer had $(threads mlp-trainer) threads"
    task cnn
    [ "$(threads cnn-trainer)" = "$(nproc)" ] || fail "of $(nproc) cores the trainer used $(threads cnn-trainer)"
}

# The same run as cnn, stopped within its second epoch, and gone on with in another container with another quota.
stop_and_resume() {
    local began record
    start stopped stopped trainer mnist-gpu --network=none
    until said stopped-trainer '"epoch":1,'; do
        [ "$(docker inspect --format '{{.State.Running}}' stopped-trainer)" = true ] || fail "it ended before its first epoch did"
        sleep 0.1
    done
    began=$(date +%s%N)
    docker stop --time 60 stopped-trainer >/dev/null
    stop_ms=$((($(date +%s%N) - began) / 1000000))
    ends_with stopped-trainer 143
    [ $stop_ms -lt $longest_stop_ms ] || fail "stopping took $stop_ms ms, more than $longest_stop_ms"
    record=$scratch/docker/volumes/stopped/_data/0001-cnn
    [ -e "$record/checkpoint.safetensors" ] || fail "no checkpoint was saved"
    stopped_step=$(python -c 'import json, sys; print(len(json.load(open(sys.argv[1]))["step_losses"]))' "$record/run.json")
    # An epoch of 60,000 images has 235 batches of 256.
    [ $((stopped_step % 235)) -ne 0 ] || fail "it was stopped between two epochs"
    start resumed stopped trainer mnist-gpu --network=none --cpus=1 -- train --json --device cpu --resume /runs/0001-cnn
    ends_with resumed-trainer 0
    cmp "$record/model.safetensors" "$scratch/docker/volumes/cnn/_data/0001-cnn/model.safetensors" || fail "other weights after resuming"
}

# From `docker start` to a container's first line: the middle one of five, on a machine without other work.
start_times() {
    local index times=() name first begun
    for index in 1 2 3 4 5; do
        name=start-$index
        docker create --name $name --network=none --read-only --cap-drop=ALL mnist-gpu train --json --device cpu \
            --model mlp --epochs 1 >/dev/null
        begun=$(date +%s%N)
        docker start $name >/dev/null
        ends_with $name 0
        first=$(date -d "$(docker logs --timestamps $name 2>&1 | head -n 1 | cut -d ' ' -f 1)" +%s%N)
        times+=($(((first - begun) / 1000000)))
    done
    start_ms=$(printf '%s\n' "${times[@]}" | sort -n | sed -n 3p)
    [ "$start_ms" -lt $longest_start_ms ] || fail "from start to the first line: ${times[*]} ms, more than $longest_start_ms"
}

results() {
    echo
    echo "image above its base: $layers bytes, of at most $largest_layers"
    echo "from docker start to the first line: $start_ms ms, of at most $longest_start_ms"
    echo "threads with a quota of one core: $(threads mlp-trainer); without: $(threads cnn-trainer), of $(nproc) cores"
    echo "stopped by SIGTERM after $stopped_step steps of 235 an epoch: exit code 143 after $stop_ms ms, of at most $longest_stop_ms"
    echo "resumed in another container: model.safetensors byte-identical to that of the run that was not stopped"
    python assets/deploy/test/results.py $bucket "$scratch/docker/volumes"
}

[ "$(id -u)" = 0 ] || fail "must be run as root: it starts Docker's daemon"
step packages
step emulator
step stack
step daemon
step bases
step image
step whole_runs
step stop_and_resume
step start_times
results
