// Convolution (cross-correlation) with bias, ReLU and max-pool fused into it.
//
//   z(o, y, x) = bias[o] + Σ_c,ky,kx input[c, y·stride + ky − padding, x·stride + kx − padding] · weights[o, c, ky, kx]
//   output[o, window] = relu(max of z over the window),  choice[o, window] = the first place of the window that has it
//
// The sum is one chain of `fma` in ascending (c, ky, kx). Where the ReLU makes the output zero, the choice is
// NO_CHOICE. Parameters and geometry are in convolution.wgsl. The simplest form: one invocation computes one output.

@group(0) @binding(1) var<storage, read> input: array<f32>;        // [rows, channels, height, width]
@group(0) @binding(2) var<storage, read> weights: array<f32>;      // [outputs, channels, kernel height, width], then the bias
@group(0) @binding(3) var<storage, read_write> output: array<f32>; // [rows, outputs, pooled height, width]
@group(0) @binding(4) var<storage, read_write> choice: array<u32>; // the same

@compute @workgroup_size(64)
fn conv2d_forward(@builtin(global_invocation_id) id: vec3<u32>) {
    let row = id.y;
    let o = id.x / windows();
    let window = id.x % windows();
    if row >= state.live || o >= params.outputs {
        return;
    }
    var largest = 0.0;
    var chosen = 0u;
    for (var place = 0u; place < params.pool_height * params.pool_width; place++) {
        let z = convolve(row, o, chosen_place(window, place)) + weights[params.bias + o];
        if place == 0u || z > largest {
            largest = z;
            chosen = place;
        }
    }
    if params.relu && largest <= 0.0 {
        largest = 0.0;
        chosen = NO_CHOICE;
    }
    let at = (row * params.outputs + o) * windows() + window;
    output[at] = largest;
    if params.keep {
        choice[at] = chosen;
    }
}

fn convolve(row: u32, o: u32, place: vec2<u32>) -> f32 {
    var sum = 0.0;
    var weight = o * params.channels * params.kernel_height * params.kernel_width;
    for (var c = 0u; c < params.channels; c++) {
        let plane = (row * params.channels + c) * params.height * params.width;
        for (var ky = 0u; ky < params.kernel_height; ky++) {
            // Rows and columns of the padding wrap around to huge numbers, and so lie outside.
            let y = place.x * params.stride_y + ky - params.padding_y;
            for (var kx = 0u; kx < params.kernel_width; kx++) {
                let x = place.y * params.stride_x + kx - params.padding_x;
                if y < params.height && x < params.width {
                    sum = fma(input[plane + y * params.width + x], weights[weight], sum);
                }
                weight++;
            }
        }
    }
    return sum;
}
