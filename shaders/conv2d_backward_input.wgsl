// The gradient of a convolution's input.
//
//   output[c, y, x] = Σ_o,window gradient[o, window] · weights[o, c, ky, kx]
//
// over the windows whose chosen place sees the input (y, x), by its tap (ky, kx). What comes from one place is one chain of
// `fma` in ascending order of output and window; these sums are added in ascending order of place. Parameters and geometry
// are in convolution.wgsl.
//
// The simplest form: one invocation computes one element. It goes through the places that can see it, and through the
// windows that a place belongs to.

@group(0) @binding(1) var<storage, read> gradient: array<f32>;     // [rows, outputs, pooled height, width]
@group(0) @binding(2) var<storage, read> choice: array<u32>;       // the same
@group(0) @binding(3) var<storage, read> weights: array<f32>;      // [outputs, channels, kernel height, width]
@group(0) @binding(4) var<storage, read_write> output: array<f32>; // [rows, channels, height, width]

@compute @workgroup_size(64)
fn conv2d_backward_input(@builtin(global_invocation_id) id: vec3<u32>) {
    let area = params.height * params.width;
    let row = id.y;
    let c = id.x / area;
    if row >= state.live || c >= params.channels {
        return;
    }
    let y = id.x % area / params.width + params.padding_y;
    let x = id.x % params.width + params.padding_x;
    let convolved_height = (params.height + 2u * params.padding_y - params.kernel_height) / params.stride_y + 1u;
    let convolved_width = (params.width + 2u * params.padding_x - params.kernel_width) / params.stride_x + 1u;
    let kernel_area = params.kernel_height * params.kernel_width;
    var sum = 0.0;
    // The last tap comes from the first place.
    for (var i = params.kernel_height; i > 0u; i--) {
        let ky = i - 1u;
        let place_y = (y - ky) / params.stride_y;
        if ky > y || (y - ky) % params.stride_y != 0u || place_y >= convolved_height {
            continue;
        }
        for (var j = params.kernel_width; j > 0u; j--) {
            let kx = j - 1u;
            let place_x = (x - kx) / params.stride_x;
            if kx > x || (x - kx) % params.stride_x != 0u || place_x >= convolved_width {
                continue;
            }
            var of_place = 0.0;
            for (var o = 0u; o < params.outputs; o++) {
                let plane = (row * params.outputs + o) * windows();
                let tap = (o * params.channels + c) * kernel_area + ky * params.kernel_width + kx;
                of_place = add_windows(of_place, plane, place_y, place_x, weights[tap]);
            }
            sum += of_place;
        }
    }
    output[(row * params.channels + c) * area + id.x % area] = sum;
}

// Adds weight · gradient for each window that contains the place and chose it.
fn add_windows(before: f32, plane: u32, place_y: u32, place_x: u32, weight: f32) -> f32 {
    var sum = before;
    let first_y = first_window(place_y, params.pool_height, params.pool_stride_y);
    let first_x = first_window(place_x, params.pool_width, params.pool_stride_x);
    for (var py = first_y; py < params.pooled_height && py * params.pool_stride_y <= place_y; py++) {
        let within_y = place_y - py * params.pool_stride_y;
        for (var px = first_x; px < params.pooled_width && px * params.pool_stride_x <= place_x; px++) {
            let within_x = place_x - px * params.pool_stride_x;
            let window = plane + py * params.pooled_width + px;
            if within_y < params.pool_height && within_x < params.pool_width
                && choice[window] == within_y * params.pool_width + within_x {
                sum = fma(gradient[window], weight, sum);
            }
        }
    }
    return sum;
}

// The first window, along one axis, that reaches as far as a place.
fn first_window(place: u32, size: u32, stride: u32) -> u32 {
    if place < size {
        return 0u;
    }
    return (place - size) / stride + 1u;
}
