// The gradient of a convolution's input as in conv2d_backward_input.wgsl, which explains the formula; for a convolution with
// stride 1, and a pool whose stride is its size, or none.
//
// Each invocation sums a patch of 2 × 2 inputs for CHANNELS channels in registers: for every tap and output it loads the
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
    // The last tap comes from the first place.
    for (var i = params.kernel_height; i > 0u; i--) {
        for (var j = params.kernel_width; j > 0u; j--) {
            // Places before the first wrap around to huge numbers.
            let place_y = (y - (i - 1u)).xxyy;
            let place_x = (x - (j - 1u)).xyxy;
            let py = place_y / POOL_HEIGHT;
            let px = place_x / POOL_WIDTH;
            let inside = (py < vec4(params.pooled_height)) & (px < vec4(params.pooled_width));
            let window = select(vec4(0u), py * params.pooled_width + px, inside);
            // What a window that contains the place must have chosen; beyond the edge, what none chooses.
            let within = place_y % POOL_HEIGHT * POOL_WIDTH + place_x % POOL_WIDTH;
            let wanted = select(vec4(POOL_HEIGHT * POOL_WIDTH), within, inside);
            let tap = (i - 1u) * params.kernel_width + j - 1u;

            var of_place: array<vec4<f32>, CHANNELS>;
            for (var o = 0u; o < params.outputs; o++) {
                let at = (row * params.outputs + o) * windows() + window;
                let chosen = vec4<u32>(choice[at.x], choice[at.y], choice[at.z], choice[at.w]);
                let gradients = vec4<f32>(gradient[at.x], gradient[at.y], gradient[at.z], gradient[at.w]);
                let values = select(vec4<f32>(), gradients, chosen == wanted);
                for (var n = 0u; n < CHANNELS; n++) {
                    let c = min(first_c + n, params.channels - 1u);
                    let weight = weights[(o * params.channels + c) * kernel_area + tap];
                    of_place[n] = fma(values, vec4<f32>(weight), of_place[n]);
                }
            }
            for (var n = 0u; n < CHANNELS; n++) {
                sums[n] += of_place[n];
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
