// The gradient of a convolution's input as in conv2d_backward_input.wgsl, which explains the formula, with outputs added in
// the order of the outermost sum; for a convolution with stride 1, a pool of one or two places a side whose stride is its
// size, and subgroups of eight.
//
// Each invocation of a subgroup sums a patch of 2 × 2 inputs for 16 channels in registers. For each output it goes through
// the windows with places that see the patch, a row of windows after another, and loads each window once; with each row of
// places it loads a row of the kernel, which all eight use. Patches and channels beyond the edge repeat the last one; what
// they compute is stored as that, or not at all.

@group(0) @binding(1) var<storage, read> gradient: array<f32>;     // [rows, outputs, pooled height, width]
@group(0) @binding(2) var<storage, read> choice: array<u32>;       // the same
@group(0) @binding(3) var<storage, read> weights: array<f32>;      // [outputs, channels, kernel height, width]
@group(0) @binding(4) var<storage, read_write> output: array<f32>; // [rows, channels, height, width]

const KERNEL_AREA = params.kernel_height * params.kernel_width;
// Windows between the one with the patch's first place and the first one with a place that sees the patch, and the places in
// that one before it.
const BEFORE_Y = (params.kernel_height - 1u - params.padding_y + params.pool_height - 1u) / params.pool_height;
const BEFORE_X = (params.kernel_width - 1u - params.padding_x + params.pool_width - 1u) / params.pool_width;
const UNSEEN_Y = BEFORE_Y * params.pool_height + params.padding_y + 1u - params.kernel_height;
const UNSEEN_X = BEFORE_X * params.pool_width + params.padding_x + 1u - params.kernel_width;
// Rows and columns of windows with places that see the patch.
const ROWS = (UNSEEN_Y + params.kernel_height) / params.pool_height + 1u;
const COLUMNS = (UNSEEN_X + params.kernel_width) / params.pool_width + 1u;

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
    let upper_c = min(first_c + lane, params.channels - 1u);
    let lower_c = min(first_c + 8u + lane, params.channels - 1u);
    // Windows before the first wrap around to huge numbers.
    let first_py = patch_y / params.pool_height - BEFORE_Y;
    let first_px = patch_x / params.pool_width - BEFORE_X;
    var sums: array<vec4<f32>, 16>;
    for (var o = 0u; o < params.outputs; o++) {
        let plane = (row * params.outputs + o) * windows();
        let upper_start = (o * params.channels + upper_c) * KERNEL_AREA;
        let lower_start = (o * params.channels + lower_c) * KERNEL_AREA;
        // The row of the kernel by which a place sees the upper inputs of the patch is that by which the place below sees
        // the lower ones.
        var upper = array<vec2<f32>, params.kernel_width>();
        var lower = array<vec2<f32>, params.kernel_width>();
        for (var i = 0u; i < ROWS; i++) {
            let inside_y = first_py + i < params.pooled_height;
            let start = plane + select(0u, first_py + i, inside_y) * params.pooled_width;
            var chosen = array<u32, COLUMNS>();
            var gradients = array<f32, COLUMNS>();
            for (var j = 0u; j < COLUMNS; j++) {
                let inside = inside_y && first_px + j < params.pooled_width;
                let at = start + select(0u, first_px + j, inside);
                chosen[j] = choice[at];
                gradients[j] = select(0.0, gradient[at], inside);
            }
            for (var y = 0u; y < params.pool_height; y++) {
                var values = array<f32, params.kernel_width + 1u>();
                for (var x = 0u; x <= params.kernel_width; x++) {
                    let window = (UNSEEN_X + x) / params.pool_width;
                    let place = y * params.pool_width + (UNSEEN_X + x) % params.pool_width;
                    values[x] = select(0.0, gradients[window], chosen[window] == place);
                }
                // The first place sees the upper inputs by the last row; places further up or down see them not at all.
                let ky = params.kernel_height - 1u - (i * params.pool_height + y - UNSEEN_Y);
                let sees = ky < params.kernel_height;
                let tap = select(0u, ky, sees) * params.kernel_width;
                for (var kx = 0u; kx < params.kernel_width; kx++) {
                    upper[kx] = vec2(select(0.0, weight(upper_start + tap + kx), sees), upper[kx].x);
                    lower[kx] = vec2(select(0.0, weight(lower_start + tap + kx), sees), lower[kx].x);
                }
                add(&sums, 0u, &upper, &values);
                add(&sums, 8u, &lower, &values);
            }
        }
    }
    for (var c = 0u; c < 16u; c++) {
        store(sums[c], row, first_c + c, patch_y, patch_x);
    }
}

// Adds to the sums of eight channels, from the first one on, what a row of places passes to the patch; each invocation holds
// the two rows of the kernel, for the upper and for the lower inputs, of one channel.
fn add(
    sums: ptr<function, array<vec4<f32>, 16>>,
    first: u32,
    rows: ptr<function, array<vec2<f32>, params.kernel_width>>,
    values: ptr<function, array<f32, params.kernel_width + 1u>>,
) {
    for (var c = 0u; c < 8u; c++) {
        for (var kx = 0u; kx < params.kernel_width; kx++) {
            // The last tap comes from the first place.
            let x = params.kernel_width - 1u - kx;
            let passed = vec2((*values)[x], (*values)[x + 1u]).xyxy;
            (*sums)[first + c] = fma(subgroupShuffle((*rows)[kx], c).xxyy, passed, (*sums)[first + c]);
        }
    }
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
