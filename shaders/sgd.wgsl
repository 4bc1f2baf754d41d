// Stochastic gradient descent without momentum, as PyTorch defines it.
//
//   g ← gradient + weight_decay · p
//   p ← p − learning rate · g
//
// One invocation updates four parameters; all parameters of the model are one buffer.

struct Params {
    count: u32, // of vectors of four
    row: u32,   // invocations in a row of the grid
    weight_decay: f32,
}

@group(0) @binding(1) var<storage, read> gradients: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> parameters: array<vec4<f32>>;

@compute @workgroup_size(64)
fn sgd(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.y * params.row + id.x;
    if i >= params.count {
        return;
    }
    let p = parameters[i];
    let g = fma(vec4(params.weight_decay), p, gradients[i]);
    parameters[i] = p - state.learning_rate * g;
}
