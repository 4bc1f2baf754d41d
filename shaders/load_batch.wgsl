// Gathers the images of a batch and normalises them.
//
//   output[row, p] = fma(images[samples[row].x, p], scale, shift)
//
// One invocation computes one pixel; a row of the grid is an image.

struct Params {
    pixels: u32,
    scale: f32, // 1 / (255 · standard deviation)
    shift: f32, // −mean / standard deviation
}

@group(0) @binding(1) var<storage, read> images: array<u32>;        // u8 [images, pixels], four to a word
@group(0) @binding(2) var<storage, read> samples: array<vec2<u32>>; // [rows]: image, label
@group(0) @binding(3) var<storage, read_write> output: array<f32>;  // [rows, pixels]

@compute @workgroup_size(64)
fn load_batch(@builtin(global_invocation_id) id: vec3<u32>) {
    let pixel = id.x;
    let row = id.y;
    if row >= state.live || pixel >= params.pixels {
        return;
    }
    let source = samples[row].x * params.pixels + pixel;
    let byte = (images[source / 4u] >> (8u * (source % 4u))) & 0xFFu;
    output[row * params.pixels + pixel] = fma(f32(byte), params.scale, params.shift);
}
