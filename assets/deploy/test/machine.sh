# What test.sh stands on, sourced by it: a scratch folder, Docker's daemon, base images, and an emulator of AWS. What is
# started or made here is gone when the script ends.

suite=bookworm
scratch=$(mktemp -d "${TMPDIR:-/tmp}/mnist-gpu-deploy.XXXXXX")
tools=$scratch/tools
cgroup=mnist-gpu-deploy-$$
started=()

fail() { echo "test.sh: $*" >&2; exit 1; }

# Ends what was started, the last first, and removes what was made.
cleanup() {
    local status=$? index
    trap - EXIT
    trap '' INT TERM
    if [ -S "$scratch/docker.sock" ]; then
        docker ps --quiet | while read -r container; do docker kill "$container" >/dev/null || true; done
    fi
    for ((index = ${#started[@]} - 1; index >= 0; index--)); do
        kill "${started[index]}" 2>/dev/null || true
        wait "${started[index]}" 2>/dev/null || true
    done
    awk -v below="$scratch/" 'index($2, below) == 1 {print $2}' /proc/mounts | sort -r | xargs --no-run-if-empty umount
    find /sys/fs/cgroup -depth -type d -path "*/$cgroup*" -exec rmdir {} + 2>/dev/null || true
    rm -rf --one-file-system "$scratch"
    exit "$status"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Runs a command; what it said is shown only if it fails.
quietly() { "$@" >"$scratch/said" 2>&1 || { tail -n 50 "$scratch/said" >&2; fail "failed: $*"; }; }

# Waits until a command succeeds, as long as what was started last goes on.
wait_for() {
    local what=$1
    shift
    until "$@" >/dev/null 2>&1; do
        kill -0 "${started[-1]}" 2>/dev/null || { tail -n 20 "$scratch"/*.log >&2; fail "waited in vain for $what"; }
        sleep 0.2
    done
}

docker() { DOCKER_CONFIG=$scratch/config DOCKER_HOST=unix://$scratch/docker.sock "$tools/docker" "$@"; }
python() { "$scratch/venv/bin/python" "$@"; }

# Debian's packages, unpacked instead of installed; what is installed already is taken from there.
packages() {
    local package name
    local get=(apt-get install --yes --no-install-recommends --download-only
        -o Dir::Cache::archives="$scratch/debs" docker.io debootstrap)
    mkdir -p "$scratch/debs/partial" "$scratch/root/usr/bin" "$scratch/root/usr/sbin" "$tools"
    if ! "${get[@]}" >/dev/null 2>&1; then
        quietly apt-get update
        quietly "${get[@]}"
    fi
    for package in "$scratch"/debs/*.deb; do
        if [ -e "$package" ]; then dpkg --extract "$package" "$scratch/root"; fi
    done
    for name in docker dockerd containerd containerd-shim-runc-v2 runc debootstrap; do
        package=$(find "$scratch/root/usr/bin" "$scratch/root/usr/sbin" /usr/bin /usr/sbin -name "$name" -print -quit)
        [ -n "$package" ] || fail "there is no $name in docker.io or debootstrap"
        ln -s "$package" "$tools/$name"
    done
    export PATH=$tools:$PATH LD_LIBRARY_PATH=$scratch/root/usr/lib/x86_64-linux-gnu
}

emulator() {
    local port
    python3 -c 'import ensurepip, venv' || fail "Python's venv module is missing: apt-get install python3-venv"
    python3 -m venv "$scratch/venv"
    quietly "$scratch/venv/bin/pip" install --requirement assets/deploy/test/requirements.txt
    port=$(python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    export AWS_ENDPOINT_URL=http://127.0.0.1:$port AWS_DEFAULT_REGION=us-east-2
    export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test
    "$scratch/venv/bin/moto_server" -H 127.0.0.1 -p "$port" >"$scratch/moto.log" 2>&1 &
    started+=($!)
    wait_for "the emulator" python -c 'import os, urllib.request; urllib.request.urlopen(os.environ["AWS_ENDPOINT_URL"] + "/moto-api/data.json")'
}

daemon() {
    # Overlays are quicker; vfs works on every file system.
    local storage=vfs place=$scratch/overlay
    mkdir -p "$place"/{lower,upper,work,merged}
    if mount -t overlay -o "lowerdir=$place/lower,upperdir=$place/upper,workdir=$place/work" overlay "$place/merged" 2>/dev/null; then
        umount "$place/merged"
        storage=overlay2
    fi
    # Its key would be left in /etc otherwise.
    echo "{\"deprecated-key-path\": \"$scratch/key.json\"}" >"$scratch/daemon.json"
    dockerd --iptables=false --ip-forward=false --bridge=none --storage-driver=$storage --cgroup-parent="/$cgroup" \
        --data-root="$scratch/docker" --exec-root="$scratch/exec" --pidfile="$scratch/docker.pid" --group=root \
        --config-file="$scratch/daemon.json" --host="unix://$scratch/docker.sock" >"$scratch/dockerd.log" 2>&1 &
    started+=($!)
    wait_for "Docker's daemon" docker version
    docker version --format "Docker {{.Server.Version}}, storage driver $storage"
}

# A base for the program; one to build it, with the local Rust and the dependencies' sources; one with AWS's command line.
bases() {
    local mirror base=$scratch/base build=$scratch/build saver=$scratch/saver path=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
    mirror=$(apt-get indextargets --format '$(CODENAME) $(REPO_URI)' 'Created-By: Packages' | awk -v suite=$suite '$1 == suite && !found++ {print $2}')
    [ -n "$mirror" ] || fail "apt has no source for $suite"
    DEBOOTSTRAP_DIR=$(dirname "$(dirname "$(readlink -f "$tools/debootstrap")")")/share/debootstrap \
        quietly debootstrap --variant=minbase $suite "$base" "$mirror"
    quietly chroot "$base" apt-get clean
    tar -C "$base" -c . | docker import - base:local >/dev/null

    cp -a "$base" "$build"
    quietly chroot "$build" apt-get install --yes --no-install-recommends gcc libc6-dev
    mkdir -p "$build/usr/local/rust" "$build/usr/local/cargo"
    cp -a "$(rustc --print sysroot)"/{bin,lib} "$build/usr/local/rust/"
    cargo vendor --locked --versioned-dirs "$build/vendor" 2>"$scratch/said" | sed "s|$build||" >"$build/usr/local/cargo/config.toml"
    tar -C "$build" -c . | docker import --change "ENV PATH=/usr/local/rust/bin:$path" \
        --change "ENV CARGO_HOME=/usr/local/cargo" - rust:local >/dev/null
    rm -rf "$build"

    cp -a "$base" "$saver"
    quietly chroot "$saver" apt-get install --yes --no-install-recommends awscli curl
    # Debian's release of the command line does not know the variable that names an endpoint.
    printf '#!/bin/sh\nexec /usr/bin/aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"\n' >"$saver/usr/local/bin/aws"
    chmod +x "$saver/usr/local/bin/aws"
    tar -C "$saver" -c . | docker import --change "ENV PATH=$path" - aws-cli:local >/dev/null
    rm -rf "$saver" "$base"
}
