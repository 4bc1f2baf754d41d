// Convolution as in conv2d_forward.wgsl, which explains the formula; for a 2 × 2 pool with stride 2, or none, and subgroups
// of eight.
//
// Each invocation of a subgroup sums a patch of 2 × 2 places for 16 outputs in registers. For each row of the kernel it loads
// the two rows of inputs that the patch sees, each once, and two rows of weights, which all eight use. With a pool the patch
// is a window; without, four outputs, which are stored for one channel at a time, while the others move up: written out for
// all, that alone would be most of what a device has to compile. Patches and outputs beyond the edge repeat the last one; what
// they compute is stored as that, or not at all.
//
// On a device that executes on a CPU the invocations of a subgroup are the lanes of a vector register: a load takes as long
// as the loads of its lanes together, and a shuffle next to nothing.

@group(0) @binding(1) var<storage, read> input: array<f32>;        // [rows, channels, height, width]
@group(0) @binding(2) var<storage, read> weights: array<f32>;      // [outputs, channels, kernel height, width], then the bias
@group(0) @binding(3) var<storage, read_write> output: array<f32>; // [rows, outputs, pooled height, width]
@group(0) @binding(4) var<storage, read_write> choice: array<u32>; // the same

// Inputs of a row that a patch sees.
const COLUMNS = params.kernel_width + params.stride_x;

@compute @workgroup_size(8)
fn conv2d_forward(@builtin(workgroup_id) group: vec3<u32>, @builtin(subgroup_invocation_id) lane: u32) {
    let row = group.y;
    let pooled = params.pool_height == 2u;
    let patches_x = select((params.pooled_width + 1u) / 2u, params.pooled_width, pooled);
    let patches_y = select((params.pooled_height + 1u) / 2u, params.pooled_height, pooled);
    let patches = patches_x * patches_y;
    let groups = (patches + 7u) / 8u;
    let index = min(group.x % groups * 8u + lane, patches - 1u);
    let first_o = group.x / groups * 16u;
    if row >= state.live {
        return;
    }
    let patch_y = index / patches_x * 2u;
    let patch_x = index % patches_x * 2u;
    let taps = params.channels * params.kernel_height * params.kernel_width;

    // Where the first place begins in the input. Rows and columns of the padding wrap around to huge numbers.
    let first_y = patch_y * params.stride_y - params.padding_y;
    let first_x = patch_x * params.stride_x - params.padding_x;

    let upper_o = min(first_o + lane, params.outputs - 1u);
    let lower_o = min(first_o + 8u + lane, params.outputs - 1u);
    var sums: array<vec4<f32>, 16>;
    for (var c = 0u; c < params.channels; c++) {
        let plane = (row * params.channels + c) * params.height * params.width;
        var above = load_row(plane, first_y, first_x);
        for (var ky = 0u; ky < params.kernel_height; ky++) {
            if params.stride_y > 1u {
                above = load_row(plane, first_y + ky, first_x);
            }
            var below = load_row(plane, first_y + params.stride_y + ky, first_x);
            var upper = array<f32, params.kernel_width>();
            var lower = array<f32, params.kernel_width>();
            let tap = (c * params.kernel_height + ky) * params.kernel_width;
            for (var kx = 0u; kx < params.kernel_width; kx++) {
                upper[kx] = weight(upper_o * taps + tap + kx);
                lower[kx] = weight(lower_o * taps + tap + kx);
            }
            add(&sums, 0u, &upper, &above, &below);
            add(&sums, 8u, &lower, &above, &below);
            // With stride 1, which the lower places see now the upper ones see next.
            above = below;
        }
    }
    if pooled {
        // So little is stored here that moving the sums would cost more in every step than it saves once.
        for (var o = 0u; o < 16u; o++) {
            finish(sums[o], row, first_o + o, patch_y, patch_x);
        }
        return;
    }
    for (var o = first_o; o < min(first_o + 16u, params.outputs); o++) {
        finish(sums[0], row, o, patch_y, patch_x);
        for (var i = 0u; i < 15u; i++) {
            sums[i] = sums[i + 1u];
        }
    }
}

// Adds to the sums of eight outputs, from the first one on, what the patch sees by a row of the kernel; each invocation holds
// that row of one output.
fn add(
    sums: ptr<function, array<vec4<f32>, 16>>,
    first: u32,
    row: ptr<function, array<f32, params.kernel_width>>,
    above: ptr<function, array<f32, COLUMNS>>,
    below: ptr<function, array<f32, COLUMNS>>,
) {
    for (var o = 0u; o < 8u; o++) {
        for (var kx = 0u; kx < params.kernel_width; kx++) {
            let right = kx + params.stride_x;
            let values = vec4((*above)[kx], (*above)[right], (*below)[kx], (*below)[right]);
            (*sums)[first + o] = fma(vec4(subgroupShuffle((*row)[kx], o)), values, (*sums)[first + o]);
        }
    }
}

// The inputs of a row that a patch sees; zero beyond the edge.
fn load_row(plane: u32, y: u32, first_x: u32) -> array<f32, COLUMNS> {
    let inside_y = y < params.height;
    let start = plane + select(0u, y, inside_y) * params.width;
    var loaded: array<f32, COLUMNS>;
    for (var x = 0u; x < COLUMNS; x++) {
        let inside = inside_y && first_x + x < params.width;
        loaded[x] = select(0.0, input[start + select(0u, first_x + x, inside)], inside);
    }
    return loaded;
}

// Stores a patch of one output: pooled, or as it is.
fn finish(sums: vec4<f32>, row: u32, o: u32, patch_y: u32, patch_x: u32) {
    if o >= params.outputs {
        return;
    }
    let z = sums + weight(params.bias + o);
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
