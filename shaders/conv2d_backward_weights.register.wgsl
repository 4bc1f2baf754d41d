// The gradients of a convolution's weights and bias as in conv2d_backward_weights.wgsl, which explains the formula; for
// small kernels.
//
// Each invocation sums the taps of one output and one channel in registers: it goes through the chosen places once, and
// adds the whole patch that each saw. That of the first channel sums the bias, too.

@group(0) @binding(1) var<storage, read> input: array<f32>;        // [rows, channels, height, width]
@group(0) @binding(2) var<storage, read> gradient: array<f32>;     // [rows, outputs, pooled height, width]
@group(0) @binding(3) var<storage, read> choice: array<u32>;       // the same
@group(0) @binding(4) var<storage, read_write> output: array<f32>; // [blocks, weights + outputs]

const KERNEL_AREA = params.kernel_height * params.kernel_width;

@compute @workgroup_size(8)
fn conv2d_backward_weights(@builtin(global_invocation_id) id: vec3<u32>) {
    let pair = id.y * params.row + id.x;
    let block = id.z;
    let c = pair % params.channels;
    let o = pair / params.channels;
    if o >= params.outputs {
        return;
    }
    let last = min((block + 1u) * params.block, state.live);
    var bias = 0.0;
    var sums: array<f32, KERNEL_AREA>;
    for (var row = block * params.block; row < last; row++) {
        let plane = (row * params.channels + c) * params.height * params.width;
        var at = (row * params.outputs + o) * windows();
        for (var py = 0u; py < params.pooled_height; py++) {
            for (var px = 0u; px < params.pooled_width; px++) {
                let chosen = choice[at];
                let value = gradient[at];
                at++;
                if chosen == NO_CHOICE {
                    continue;
                }
                bias += value;
                // Rows and columns of the padding wrap around to huge numbers, and so lie outside.
                let y = (py * params.pool_stride_y + chosen / params.pool_width) * params.stride_y - params.padding_y;
                let x = (px * params.pool_stride_x + chosen % params.pool_width) * params.stride_x - params.padding_x;
                for (var ky = 0u; ky < params.kernel_height; ky++) {
                    let inside_y = y + ky < params.height;
                    let start = plane + select(0u, y + ky, inside_y) * params.width;
                    for (var kx = 0u; kx < params.kernel_width; kx++) {
                        let inside = inside_y && x + kx < params.width;
                        let seen = select(0.0, input[start + select(0u, x + kx, inside)], inside);
                        sums[ky * params.kernel_width + kx] = fma(value, seen, sums[ky * params.kernel_width + kx]);
                    }
                }
            }
        }
    }
    let weights = params.outputs * params.channels * KERNEL_AREA;
    let start = block * (weights + params.outputs);
    for (var tap = 0u; tap < KERNEL_AREA; tap++) {
        output[start + (o * params.channels + c) * KERNEL_AREA + tap] = sums[tap];
    }
    if c == 0u {
        output[start + weights + o] = bias;
    }
}
