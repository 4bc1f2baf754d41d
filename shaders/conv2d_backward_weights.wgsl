// The gradients of a convolution's weights and bias, as partial sums over blocks of images.
//
//   output[block, (o, c, ky, kx)] = Σ_image,window gradient[o, window] · input[c, y·stride + ky − padding, …]
//   output[block, weights + o]    = Σ_image,window gradient[o, window]
//
// where (y, x) is the place that the window chose. The sum is one chain of `fma` in ascending order of image
// and window; reduce.wgsl adds up the blocks. Parameters and geometry are in convolution.wgsl.
//
// The simplest form: one invocation computes one element; a layer of the grid is a block.

@group(0) @binding(1) var<storage, read> input: array<f32>;        // [rows, channels, height, width]
@group(0) @binding(2) var<storage, read> gradient: array<f32>;     // [rows, outputs, pooled height, width]
@group(0) @binding(3) var<storage, read> choice: array<u32>;       // the same
@group(0) @binding(4) var<storage, read_write> output: array<f32>; // [blocks, weights + outputs]

@compute @workgroup_size(64)
fn conv2d_backward_weights(@builtin(global_invocation_id) id: vec3<u32>) {
    let kernel_area = params.kernel_height * params.kernel_width;
    let taps = params.channels * kernel_area;
    let weights = params.outputs * taps;
    let element = id.y * params.row + id.x;
    let block = id.z;
    if element >= weights + params.outputs {
        return;
    }
    let is_bias = element >= weights;
    let o = select(element / taps, element - weights, is_bias);
    let c = element % taps / kernel_area;
    let ky = element % kernel_area / params.kernel_width;
    let kx = element % params.kernel_width;
    let last = min((block + 1u) * params.block, state.live);
    var sum = 0.0;
    for (var row = block * params.block; row < last; row++) {
        let plane = (row * params.channels + c) * params.height * params.width;
        for (var window = 0u; window < windows(); window++) {
            let at = (row * params.outputs + o) * windows() + window;
            let chosen = choice[at];
            if chosen == NO_CHOICE {
                continue;
            }
            if is_bias {
                sum += gradient[at];
                continue;
            }
            let place = chosen_place(window, chosen);
            // Rows and columns of the padding wrap around to huge numbers, and so lie outside.
            let y = place.x * params.stride_y + ky - params.padding_y;
            let x = place.y * params.stride_x + kx - params.padding_x;
            if y < params.height && x < params.width {
                sum = fma(gradient[at], input[plane + y * params.width + x], sum);
            }
        }
    }
    output[block * (weights + params.outputs) + element] = sum;
}
