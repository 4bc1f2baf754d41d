// The state for a GPU: what all invocations read alike, a uniform brings them at once.
@group(0) @binding(0) var<uniform> state: State;
