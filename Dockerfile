# Trains in a container, without a GPU. For linux/amd64; linux/arm64 is written for, but nobody has built it yet:
#   docker build -t mnist-gpu .
#   docker run --rm --network=none --read-only --cap-drop=ALL -v mnist-gpu-runs:/runs mnist-gpu train --model mlp
# Both images can be replaced by others with a Rust toolchain, and with the same or a newer glibc.
ARG RUST_IMAGE=rust:1.95-slim-bookworm
ARG DEBIAN_IMAGE=debian:bookworm-slim

FROM ${RUST_IMAGE} AS build
WORKDIR /build
ENV CARGO_PROFILE_RELEASE_STRIP=symbols
# The dependencies are a layer of their own, which stays as it is until they change. The tests and benchmarks that
# Cargo.toml names are not in the build's context.
COPY Cargo.toml Cargo.lock ./
RUN sed -i '/^\[\[\(test\|bench\)\]\]$/,/^$/d' Cargo.toml \
    && mkdir src && touch src/lib.rs && echo 'fn main() {}' >src/main.rs \
    && cargo build --release --locked
COPY shaders shaders
COPY assets assets
COPY src src
# Cargo goes by the time of change, which these files have from elsewhere.
RUN touch src/lib.rs src/main.rs && cargo build --release --locked

FROM ${DEBIAN_IMAGE}
# A volume that is made here gets the folder's owner.
RUN install --directory --owner=10001 --group=10001 /runs
WORKDIR /runs
COPY LICENSE-* assets/font/OFL.txt /usr/share/doc/mnist-gpu/
COPY --from=build /build/target/release/mnist-gpu /usr/local/bin/
ENV MNIST_GPU_RUNS=/runs
VOLUME /runs
USER 10001:10001
ENTRYPOINT ["mnist-gpu"]
CMD ["train"]
