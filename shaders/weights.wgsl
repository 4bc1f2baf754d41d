// A weight of a convolution: from the shader's own `weights`, or where those are few enough from a uniform of the same memory.
// What the lanes of a vector register want of a storage buffer llvmpipe loads with a loop over the lanes, of a uniform with one
// gather.
@group(0) @binding(5) var<uniform> few_weights: array<vec4<f32>, max(params.uniform_vectors, 1u)>;

fn weight(index: u32) -> f32 {
    if params.uniform_vectors == 0u {
        return weights[index];
    }
    return few_weights[index / 4u][index % 4u];
}
