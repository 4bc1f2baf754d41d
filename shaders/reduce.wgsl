// Adds up the rows of partial sums, in ascending order, into the gradients of weights and bias.
//
//   output[i] = Σ_block input[block, i],  i over the weights; the bias follows in the input, and lies at `bias` in the output
//
// One invocation computes one element.

struct Params {
    blocks: u32,
    weights: u32,
    count: u32, // weights and bias
    bias: u32,
    accumulate: bool,
    row: u32, // invocations in a row of the grid
}

@group(0) @binding(0) var<storage, read> input: array<f32>;        // [blocks, count]
@group(0) @binding(1) var<storage, read_write> output: array<f32>; // [weights], padding, bias

@compute @workgroup_size(64)
fn reduce(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.y * params.row + id.x;
    if i >= params.count {
        return;
    }
    let at = select(i, params.bias + i - params.weights, i >= params.weights);
    var sum = 0.0;
    if params.accumulate {
        sum = output[at];
    }
    for (var block = 0u; block < params.blocks; block++) {
        sum += input[block * params.count + i];
    }
    output[at] = sum;
}
