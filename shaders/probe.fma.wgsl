// How fast a device multiplies and adds at best: independent chains of vectors in registers.
//
//   x ← x · factor + 0.5,  `rounds` times
//
// One invocation stores the sum of its chains, so that nothing is left out.

struct Params {
    chains: u32,
    rounds: u32,
}

@group(0) @binding(0) var<storage, read> input: array<f32>; // the factor, below 1: the chains converge
@group(0) @binding(1) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn probe(@builtin(global_invocation_id) id: vec3<u32>) {
    let factor = vec4<f32>(input[0]);
    var chains: array<vec4<f32>, params.chains>;
    for (var i = 0u; i < params.chains; i++) {
        chains[i] = vec4<f32>(f32(id.x + i));
    }
    for (var round = 0u; round < params.rounds; round++) {
        for (var i = 0u; i < params.chains; i++) {
            chains[i] = fma(chains[i], factor, vec4<f32>(0.5));
        }
    }
    var sum = vec4<f32>();
    for (var i = 0u; i < params.chains; i++) {
        sum += chains[i];
    }
    output[id.x] = sum.x + sum.y + sum.z + sum.w;
}
