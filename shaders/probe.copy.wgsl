// How fast a device reads and writes memory at best.
//
//   output[i] = input[i]
//
// One invocation copies a vector of four.

struct Params {
    row: u32, // invocations in a row of the grid
}

@group(0) @binding(0) var<storage, read> input: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> output: array<vec4<f32>>;

@compute @workgroup_size(64)
fn probe(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.y * params.row + id.x;
    if i < arrayLength(&output) {
        output[i] = input[i];
    }
}
