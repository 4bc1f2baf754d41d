// The gradients of a convolution's weights and bias as in conv2d_backward_weights.wgsl, which explains the formula; for
// small kernels and pools, and subgroups of eight.
//
// A workgroup sums the taps of 16 outputs and one channel in registers, each of its eight invocations those of two outputs.
// It goes through the windows once. All the inputs that a window's places see are loaded together, every invocation an
// eighth of them; the gradient goes to the place that the window chose, and zero to the others. Outputs beyond the edge
// repeat the last one; what they compute is its sum, and is stored as that.

@group(0) @binding(1) var<storage, read> input: array<f32>;        // [rows, channels, height, width]
@group(0) @binding(2) var<storage, read> gradient: array<f32>;     // [rows, outputs, pooled height, width]
@group(0) @binding(3) var<storage, read> choice: array<u32>;       // the same
@group(0) @binding(4) var<storage, read_write> output: array<f32>; // [blocks, weights + outputs]

const KERNEL_AREA = params.kernel_height * params.kernel_width;
const PLACES = params.pool_height * params.pool_width;
// The inputs that a window's places see.
const SEEN_WIDTH = (params.pool_width - 1u) * params.stride_x + params.kernel_width;
const SEEN_HEIGHT = (params.pool_height - 1u) * params.stride_y + params.kernel_height;
const LOADS = (SEEN_HEIGHT * SEEN_WIDTH + 7u) / 8u;

@compute @workgroup_size(8)
fn conv2d_backward_weights(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    let index = (id.y * params.row + id.x) / 8u;
    let block = id.z;
    let c = index % params.channels;
    let first_o = index / params.channels * 16u;
    if first_o >= params.outputs {
        return;
    }
    let o = min(first_o + lane + vec2(0u, 8u), vec2(params.outputs - 1u));
    let last = min((block + 1u) * params.block, state.live);
    var bias = vec2<f32>();
    var sums: array<vec2<f32>, KERNEL_AREA>;
    for (var row = block * params.block; row < last; row++) {
        let plane = (row * params.channels + c) * params.height * params.width;
        let gradients = (row * params.outputs + o) * windows();
        for (var py = 0u; py < params.pooled_height; py++) {
            for (var px = 0u; px < params.pooled_width; px++) {
                // Rows and columns of the padding wrap around to huge numbers, and so lie outside.
                let y = py * params.pool_stride_y * params.stride_y - params.padding_y;
                let x = px * params.pool_stride_x * params.stride_x - params.padding_x;
                var seen = array<f32, 8u * LOADS>();
                for (var i = 0u; i < LOADS; i++) {
                    let seen_y = y + (8u * i + lane) / SEEN_WIDTH;
                    let seen_x = x + (8u * i + lane) % SEEN_WIDTH;
                    let inside = seen_y < params.height && seen_x < params.width;
                    let number = select(0.0, input[plane + select(0u, seen_y * params.width + seen_x, inside)], inside);
                    for (var j = 0u; j < 8u; j++) {
                        seen[8u * i + j] = subgroupShuffle(number, j);
                    }
                }
                let at = gradients + py * params.pooled_width + px;
                let chosen = vec2(choice[at.x], choice[at.y]);
                let value = vec2(gradient[at.x], gradient[at.y]);
                bias += select(vec2<f32>(), value, chosen != vec2(NO_CHOICE));
                // No loop: llvmpipe unrolls none so long, and looks up in memory what an index of a loop reaches.
                add(&sums, &seen, value, chosen, 0u);
                if PLACES > 1u {
                    add(&sums, &seen, value, chosen, 1u);
                }
                if PLACES > 2u {
                    add(&sums, &seen, value, chosen, 2u);
                }
                if PLACES > 3u {
                    add(&sums, &seen, value, chosen, 3u);
                }
            }
        }
    }
    let weights = params.outputs * params.channels * KERNEL_AREA;
    let start = block * (weights + params.outputs);
    let at = start + (o * params.channels + c) * KERNEL_AREA;
    for (var tap = 0u; tap < KERNEL_AREA; tap++) {
        output[at.x + tap] = sums[tap].x;
        output[at.y + tap] = sums[tap].y;
    }
    if c == 0u {
        output[start + weights + o.x] = bias.x;
        output[start + weights + o.y] = bias.y;
    }
}

// Adds what a place of the window saw, where an output's window chose it.
fn add(
    sums: ptr<function, array<vec2<f32>, KERNEL_AREA>>,
    seen: ptr<function, array<f32, 8u * LOADS>>,
    value: vec2<f32>,
    chosen: vec2<u32>,
    place: u32,
) {
    let passed = select(vec2<f32>(), value, chosen == vec2(place));
    let corner = place / params.pool_width * params.stride_y * SEEN_WIDTH + place % params.pool_width * params.stride_x;
    for (var ky = 0u; ky < params.kernel_height; ky++) {
        for (var kx = 0u; kx < params.kernel_width; kx++) {
            let tap = ky * params.kernel_width + kx;
            (*sums)[tap] = fma(passed, vec2((*seen)[corner + ky * SEEN_WIDTH + kx]), (*sums)[tap]);
        }
    }
}
