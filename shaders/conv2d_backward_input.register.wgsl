// The gradient of a convolution's input as in conv2d_backward_input.wgsl, which explains the formula; for a convolution with
// stride 1, and a pool whose stride is its size, or none.
//
// Each invocation sums a patch of 2 × 2 inputs for 8 channels in registers: for every tap and output it loads the four
// gradients that the tap leads to, and 8 weights, and uses each 8 or four times. The sums are two matrices, a vector of
// four inputs for each channel, and have names: what an index reaches, some devices keep in memory. Inputs and channels
// beyond the edge repeat the last one; what they compute is not stored.

@group(0) @binding(1) var<storage, read> gradient: array<f32>;     // [rows, outputs, pooled height, width]
@group(0) @binding(2) var<storage, read> choice: array<u32>;       // the same
@group(0) @binding(3) var<storage, read> weights: array<f32>;      // [outputs, channels, kernel height, width]
@group(0) @binding(4) var<storage, read_write> output: array<f32>; // [rows, channels, height, width]

@compute @workgroup_size(8)
fn conv2d_backward_input(@builtin(global_invocation_id) id: vec3<u32>) {
    let row = id.y;
    let patches_x = (params.width + 1u) / 2u;
    let patches = patches_x * ((params.height + 1u) / 2u);
    let first_c = id.x / patches * 8u;
    if row >= state.live || first_c >= params.channels {
        return;
    }
    let patch_y = id.x % patches / patches_x * 2u;
    let patch_x = id.x % patches_x * 2u;
    let y = vec2<u32>(patch_y, patch_y + 1u) + params.padding_y;
    let x = vec2<u32>(patch_x, patch_x + 1u) + params.padding_x;
    let kernel_area = params.kernel_height * params.kernel_width;

    let upper_c = min(first_c + vec4(0u, 1u, 2u, 3u), vec4(params.channels - 1u));
    let lower_c = min(first_c + vec4(4u, 5u, 6u, 7u), vec4(params.channels - 1u));
    var upper: mat4x4<f32>;
    var lower: mat4x4<f32>;
    // The last tap comes from the first place.
    for (var i = params.kernel_height; i > 0u; i--) {
        for (var j = params.kernel_width; j > 0u; j--) {
            // Places before the first wrap around to huge numbers.
            let place_y = (y - (i - 1u)).xxyy;
            let place_x = (x - (j - 1u)).xyxy;
            let py = place_y / params.pool_height;
            let px = place_x / params.pool_width;
            let inside = (py < vec4(params.pooled_height)) & (px < vec4(params.pooled_width));
            let window = select(vec4(0u), py * params.pooled_width + px, inside);
            // What a window that contains the place must have chosen; beyond the edge, what none chooses.
            let within = place_y % params.pool_height * params.pool_width + place_x % params.pool_width;
            let wanted = select(vec4(params.pool_height * params.pool_width), within, inside);
            let tap = (i - 1u) * params.kernel_width + j - 1u;

            var upper_of_place = mat4x4<f32>();
            var lower_of_place = mat4x4<f32>();
            for (var o = 0u; o < params.outputs; o++) {
                let at = (row * params.outputs + o) * windows() + window;
                let chosen = vec4<u32>(choice[at.x], choice[at.y], choice[at.z], choice[at.w]);
                let gradients = vec4<f32>(gradient[at.x], gradient[at.y], gradient[at.z], gradient[at.w]);
                let values = select(vec4<f32>(), gradients, chosen == wanted);
                let channel = o * params.channels;
                upper_of_place = add_outer(upper_of_place, values, four_weights((channel + upper_c) * kernel_area + tap));
                lower_of_place = add_outer(lower_of_place, values, four_weights((channel + lower_c) * kernel_area + tap));
            }
            upper += upper_of_place;
            lower += lower_of_place;
        }
    }
    for (var i = 0u; i < 4u; i++) {
        store(upper[i], row, first_c + i, patch_y, patch_x);
        store(lower[i], row, first_c + 4u + i, patch_y, patch_x);
    }
}

fn four_weights(at: vec4<u32>) -> vec4<f32> {
    return vec4(weights[at.x], weights[at.y], weights[at.z], weights[at.w]);
}

// Stores a patch of one channel.
fn store(sums: vec4<f32>, row: u32, c: u32, patch_y: u32, patch_x: u32) {
    if c >= params.channels {
        return;
    }
    let at = ((row * params.channels + c) * params.height + patch_y) * params.width + patch_x;
    let right = patch_x + 1u < params.width;
    output[at] = sums.x;
    if right {
        output[at + 1u] = sums.y;
    }
    if patch_y + 1u < params.height {
        output[at + params.width] = sums.z;
        if right {
            output[at + params.width + 1u] = sums.w;
        }
    }
}
