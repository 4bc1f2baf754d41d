// The gradient of a convolution's input as in conv2d_backward_input.wgsl, which explains the formula; for a convolution with
// stride 1, and a pool whose stride is its size, or none.
//
// Each invocation sums a patch of 2 × 2 inputs for CHANNELS channels in registers: for every output and tap it loads the
// four gradients that the tap leads to, and CHANNELS weights, and uses each CHANNELS or four times. Inputs and channels
// beyond the edge repeat the last one; what they compute is not stored.

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> state: State;
@group(0) @binding(2) var<storage, read> gradient: array<f32>;     // [rows, outputs, pooled height, width]
@group(0) @binding(3) var<storage, read> choice: array<u32>;       // the same
@group(0) @binding(4) var<storage, read> weights: array<f32>;      // [outputs, channels, kernel height, width]
@group(0) @binding(5) var<storage, read_write> output: array<f32>; // [rows, channels, height, width]

@compute @workgroup_size(8)
fn conv2d_backward_input(@builtin(global_invocation_id) id: vec3<u32>) {
    let row = id.y;
    let patches_x = (params.width + 1u) / 2u;
    let patches = patches_x * ((params.height + 1u) / 2u);
    let first_c = id.x / patches * CHANNELS;
    if row >= state.live || first_c >= params.channels {
        return;
    }
    let patch_y = id.x % patches / patches_x * 2u;
    let patch_x = id.x % patches_x * 2u;
    let y = vec2<u32>(patch_y, patch_y + 1u) + params.padding_y;
    let x = vec2<u32>(patch_x, patch_x + 1u) + params.padding_x;
    let kernel_area = params.kernel_height * params.kernel_width;

    var sums: array<vec4<f32>, CHANNELS>;
    for (var o = 0u; o < params.outputs; o++) {
        let plane = (row * params.outputs + o) * windows();
        let kernel = o * params.channels * kernel_area;
        // The last tap comes from the first place.
        for (var i = params.kernel_height; i > 0u; i--) {
            for (var j = params.kernel_width; j > 0u; j--) {
                // Places before the first wrap around to huge numbers.
                let place_y = y - (i - 1u);
                let place_x = x - (j - 1u);
                let values = vec4<f32>(
                    gradient_at(plane, place_y.x, place_x.x),
                    gradient_at(plane, place_y.x, place_x.y),
                    gradient_at(plane, place_y.y, place_x.x),
                    gradient_at(plane, place_y.y, place_x.y),
                );
                let tap = kernel + (i - 1u) * params.kernel_width + j - 1u;
                for (var n = 0u; n < CHANNELS; n++) {
                    let c = min(first_c + n, params.channels - 1u);
                    sums[n] = fma(values, vec4<f32>(weights[tap + c * kernel_area]), sums[n]);
                }
            }
        }
    }
    for (var n = 0u; n < CHANNELS; n++) {
        let c = first_c + n;
        if c < params.channels {
            let at = ((row * params.channels + c) * params.height + patch_y) * params.width + patch_x;
            let right = patch_x + 1u < params.width;
            output[at] = sums[n].x;
            if right {
                output[at + 1u] = sums[n].y;
            }
            if patch_y + 1u < params.height {
                output[at + params.width] = sums[n].z;
                if right {
                    output[at + params.width + 1u] = sums[n].w;
                }
            }
        }
    }
}

// The gradient of a place of the convolution: that of its window, if the window chose it.
fn gradient_at(plane: u32, place_y: u32, place_x: u32) -> f32 {
    let py = place_y / POOL_HEIGHT;
    let px = place_x / POOL_WIDTH;
    let inside = py < params.pooled_height && px < params.pooled_width;
    let at = plane + select(0u, py * params.pooled_width + px, inside);
    let within = place_y % POOL_HEIGHT * POOL_WIDTH + place_x % POOL_WIDTH;
    return select(0.0, gradient[at], inside && choice[at] == within);
}
