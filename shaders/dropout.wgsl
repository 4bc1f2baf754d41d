// Zeroes a random share of a tensor and scales the rest, forwards and backwards with the same mask.
//
//   output[row, i] = input[row, i] / (1 − rate)  where u ≥ rate,  else 0
//   u = uniform(key (seed, PURPOSE_DROPOUT + 256 · layer), counter (step, row in the whole batch · width + i))
//
// One invocation computes one element; a row of the grid is a row of the batch.

struct Params {
    width: u32, // of a row
    batch: u32, // images in a full step
    layer: u32,
    rate: f32,
    scale: f32, // 1 / (1 − rate)
}

@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn dropout(@builtin(global_invocation_id) id: vec3<u32>) {
    let row = id.y;
    let i = id.x;
    if row >= state.live || i >= params.width {
        return;
    }
    let key = vec2<u32>(state.seed, PURPOSE_DROPOUT | (params.layer << 8u));
    let row_of_batch = state.offset % params.batch + row;
    let u = uniform_number(key, vec2<u32>(state.step, row_of_batch * params.width + i));
    let at = row * params.width + i;
    output[at] = select(0.0, input[at] * params.scale, u >= params.rate);
}
