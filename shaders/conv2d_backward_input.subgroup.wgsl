// The gradient of a convolution's input as in conv2d_backward_input.wgsl, which explains the formula; for a convolution with
// stride 1, and a pool whose stride is its size, or none, and subgroups of eight.
//
// Each invocation of a subgroup sums a patch of 2 × 2 inputs for 16 channels in registers: for every tap and output it loads
// the four gradients that the tap leads to, and two weights; the weights all eight use. Patches and channels beyond the edge
// repeat the last one; what they compute is stored as that, or not at all.

@group(0) @binding(1) var<storage, read> gradient: array<f32>;     // [rows, outputs, pooled height, width]
@group(0) @binding(2) var<storage, read> choice: array<u32>;       // the same
@group(0) @binding(3) var<storage, read> weights: array<f32>;      // [outputs, channels, kernel height, width]
@group(0) @binding(4) var<storage, read_write> output: array<f32>; // [rows, channels, height, width]

@compute @workgroup_size(8)
fn conv2d_backward_input(@builtin(workgroup_id) group: vec3<u32>, @builtin(subgroup_invocation_id) lane: u32) {
    let row = group.y;
    let patches_x = (params.width + 1u) / 2u;
    let patches = patches_x * ((params.height + 1u) / 2u);
    let groups = (patches + 7u) / 8u;
    let index = min(group.x % groups * 8u + lane, patches - 1u);
    let first_c = group.x / groups * 16u;
    if row >= state.live {
        return;
    }
    let patch_y = index / patches_x * 2u;
    let patch_x = index % patches_x * 2u;
    let y = vec2<u32>(patch_y, patch_y + 1u) + params.padding_y;
    let x = vec2<u32>(patch_x, patch_x + 1u) + params.padding_x;
    let kernel_area = params.kernel_height * params.kernel_width;

    let upper_c = min(first_c + lane, params.channels - 1u);
    let lower_c = min(first_c + 8u + lane, params.channels - 1u);
    var upper = Eight();
    var lower = Eight();
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

            var upper_of_place = Eight();
            var lower_of_place = Eight();
            for (var o = 0u; o < params.outputs; o++) {
                let at = (row * params.outputs + o) * windows() + window;
                let chosen = vec4<u32>(choice[at.x], choice[at.y], choice[at.z], choice[at.w]);
                let gradients = vec4<f32>(gradient[at.x], gradient[at.y], gradient[at.z], gradient[at.w]);
                let values = select(vec4<f32>(), gradients, chosen == wanted);
                let channel = o * params.channels;
                upper_of_place = add_eight(upper_of_place, weights[(channel + upper_c) * kernel_area + tap], values);
                lower_of_place = add_eight(lower_of_place, weights[(channel + lower_c) * kernel_area + tap], values);
            }
            upper = sum(upper, upper_of_place);
            lower = sum(lower, lower_of_place);
        }
    }
    store_eight(upper, row, first_c, patch_y, patch_x);
    store_eight(lower, row, first_c + 8u, patch_y, patch_x);
}

fn sum(a: Eight, b: Eight) -> Eight {
    return Eight(
        a.r0 + b.r0, a.r1 + b.r1, a.r2 + b.r2, a.r3 + b.r3, a.r4 + b.r4, a.r5 + b.r5, a.r6 + b.r6, a.r7 + b.r7,
    );
}

fn store_eight(sums: Eight, row: u32, first_c: u32, patch_y: u32, patch_x: u32) {
    store(sums.r0, row, first_c, patch_y, patch_x);
    store(sums.r1, row, first_c + 1u, patch_y, patch_x);
    store(sums.r2, row, first_c + 2u, patch_y, patch_x);
    store(sums.r3, row, first_c + 3u, patch_y, patch_x);
    store(sums.r4, row, first_c + 4u, patch_y, patch_x);
    store(sums.r5, row, first_c + 5u, patch_y, patch_x);
    store(sums.r6, row, first_c + 6u, patch_y, patch_x);
    store(sums.r7, row, first_c + 7u, patch_y, patch_x);
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
