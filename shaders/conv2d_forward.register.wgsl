// Convolution as in conv2d_forward.wgsl, which explains the formula; for a 2 × 2 pool with stride 2, or none.
//
// Each invocation sums a patch of 2 × 2 places for 8 outputs in registers: for every tap it loads four inputs and 8
// weights, and uses each 8 or four times. The sums are two matrices, a vector of four places for each output, and have
// names: what an index reaches, some devices keep in memory. With a pool the patch is a window; without, four outputs.
// Outputs are stored one at a time, while the others move up: what a device has to compile stays small. Places and outputs
// beyond the edge repeat the last one; what they compute is not stored.

@group(0) @binding(1) var<storage, read> input: array<f32>;        // [rows, channels, height, width]
@group(0) @binding(2) var<storage, read> weights: array<f32>;      // [outputs, channels, kernel height, width], then the bias
@group(0) @binding(3) var<storage, read_write> output: array<f32>; // [rows, outputs, pooled height, width]
@group(0) @binding(4) var<storage, read_write> choice: array<u32>; // the same

@compute @workgroup_size(8)
fn conv2d_forward(@builtin(global_invocation_id) id: vec3<u32>) {
    let row = id.y;
    let pooled = params.pool_height == 2u;
    let patches_x = select((params.pooled_width + 1u) / 2u, params.pooled_width, pooled);
    let patches_y = select((params.pooled_height + 1u) / 2u, params.pooled_height, pooled);
    let index = id.x % (patches_x * patches_y);
    let first_o = id.x / (patches_x * patches_y) * 8u;
    if row >= state.live || first_o >= params.outputs {
        return;
    }
    let patch_y = index / patches_x * 2u;
    let patch_x = index % patches_x * 2u;
    let taps = params.channels * params.kernel_height * params.kernel_width;

    // Where each of the four places begins in the input. Rows and columns of the padding wrap around to huge numbers.
    let last_y = select(params.pooled_height - 1u, patch_y + 1u, pooled);
    let last_x = select(params.pooled_width - 1u, patch_x + 1u, pooled);
    let y = vec2<u32>(patch_y, min(patch_y + 1u, last_y)) * params.stride_y - params.padding_y;
    let x = vec2<u32>(patch_x, min(patch_x + 1u, last_x)) * params.stride_x - params.padding_x;

    let upper_o = min(first_o + vec4(0u, 1u, 2u, 3u), vec4(params.outputs - 1u));
    let lower_o = min(first_o + vec4(4u, 5u, 6u, 7u), vec4(params.outputs - 1u));
    var upper: mat4x4<f32>;
    var lower: mat4x4<f32>;
    var tap = 0u;
    for (var c = 0u; c < params.channels; c++) {
        let plane = (row * params.channels + c) * params.height * params.width;
        for (var ky = 0u; ky < params.kernel_height; ky++) {
            let inside_y = (y + ky) < vec2(params.height);
            let start = plane + select(vec2(0u), y + ky, inside_y) * params.width;
            for (var kx = 0u; kx < params.kernel_width; kx++) {
                let inside_x = (x + kx) < vec2(params.width);
                let column = select(vec2(0u), x + kx, inside_x);
                let values = select(
                    vec4<f32>(),
                    vec4<f32>(
                        input[start.x + column.x],
                        input[start.x + column.y],
                        input[start.y + column.x],
                        input[start.y + column.y],
                    ),
                    inside_y.xxyy & inside_x.xyxy,
                );
                upper = add_outer(upper, values, four_weights(upper_o * taps + tap));
                lower = add_outer(lower, values, four_weights(lower_o * taps + tap));
                tap++;
            }
        }
    }
    for (var o = first_o; o < min(first_o + 8u, params.outputs); o++) {
        finish(upper[0], row, o, patch_y, patch_x);
        upper = mat4x4(upper[1], upper[2], upper[3], lower[0]);
        lower = mat4x4(lower[1], lower[2], lower[3], lower[3]);
    }
}

fn four_weights(at: vec4<u32>) -> vec4<f32> {
    return vec4(weights[at.x], weights[at.y], weights[at.z], weights[at.w]);
}

// Stores a patch of one output: pooled, or as it is.
fn finish(sums: vec4<f32>, row: u32, o: u32, patch_y: u32, patch_x: u32) {
    let z = sums + weights[params.bias + o];
    let plane = (row * params.outputs + o) * windows();
    if params.pool_height == 2u {
        store(plane + (patch_y * params.pooled_width + patch_x) / 2u, z, 4u);
        return;
    }
    let at = plane + patch_y * params.pooled_width + patch_x;
    let right = patch_x + 1u < params.pooled_width;
    store(at, z.xxxx, 1u);
    if right {
        store(at + 1u, z.yyyy, 1u);
    }
    if patch_y + 1u < params.pooled_height {
        store(at + params.pooled_width, z.zzzz, 1u);
        if right {
            store(at + params.pooled_width + 1u, z.wwww, 1u);
        }
    }
}

// Stores the largest of the first `places` numbers.
fn store(at: u32, z: vec4<f32>, places: u32) {
    var largest = z.x;
    var chosen = 0u;
    for (var place = 1u; place < places; place++) {
        if z[place] > largest {
            largest = z[place];
            chosen = place;
        }
    }
    if params.relu && largest <= 0.0 {
        largest = 0.0;
        chosen = NO_CHOICE;
    }
    output[at] = largest;
    if params.keep {
        choice[at] = chosen;
    }
}
