// Uniform initial weights.
//
//   output[i] = bound · (2 u − 1),  u = uniform(key (seed, PURPOSE_INIT), counter (stream, i))
//
// One invocation computes one element.

struct Params {
    count: u32,
    stream: u32,
    bound: f32,
    row: u32, // invocations in a row of the grid
}

@group(0) @binding(1) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn init_uniform(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.y * params.row + id.x;
    if i >= params.count {
        return;
    }
    let u = uniform_number(vec2<u32>(state.seed, PURPOSE_INIT), vec2<u32>(params.stream, i));
    output[i] = params.bound * (2.0 * u - 1.0);
}
