// Adam, and AdamW where weight decay is decoupled from the gradient, as PyTorch defines them.
//
//   g ← gradient + penalty · p                   (Adam: penalty = weight_decay; AdamW: 0)
//   m ← β₁ m + (1 − β₁) g
//   v ← β₂ v + (1 − β₂) g²
//   p ← p · (1 − learning rate · decay) − learning rate · c₁ · m / (√v · c₂ + ε)
//
// c₁ = 1 / (1 − β₁ᵗ) and c₂ = 1 / √(1 − β₂ᵗ) come from the schedule. One invocation updates four parameters.

struct Params {
    count: u32, // of vectors of four
    row: u32,   // invocations in a row of the grid
    beta1: f32,
    rest1: f32, // 1 − β₁
    beta2: f32,
    rest2: f32, // 1 − β₂
    epsilon: f32,
    penalty: f32,
    decay: f32,
}

@group(0) @binding(1) var<storage, read> gradients: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> parameters: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> first_moment: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> second_moment: array<vec4<f32>>;

@compute @workgroup_size(64)
fn adam(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.y * params.row + id.x;
    if i >= params.count {
        return;
    }
    let p = parameters[i];
    let g = fma(vec4(params.penalty), p, gradients[i]);
    let m = fma(vec4(params.beta1), first_moment[i], params.rest1 * g);
    let v = fma(vec4(params.beta2), second_moment[i], params.rest2 * g * g);
    first_moment[i] = m;
    second_moment[i] = v;
    let step_size = state.learning_rate * state.first_correction;
    let keep = 1.0 - state.learning_rate * params.decay;
    parameters[i] = p * keep - step_size * m / fma(sqrt(v), vec4(state.second_correction), vec4(params.epsilon));
}
