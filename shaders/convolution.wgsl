// What the kernels of convolutions share: parameters, and the geometry of kernel and pool.
//
// Planes are [rows, channels, height, width]. A place (y, x) of the convolution sees the inputs
// (y · stride + ky − padding, x · stride + kx − padding); a pool window (py, px) has the places
// (py · pool_stride + 0..pool_height, px · pool_stride + 0..pool_width).

struct Params {
    channels: u32,
    height: u32,
    width: u32,
    outputs: u32,
    kernel_height: u32,
    kernel_width: u32,
    stride_y: u32,
    stride_x: u32,
    padding_y: u32,
    padding_x: u32,
    pool_height: u32,
    pool_width: u32,
    pool_stride_y: u32,
    pool_stride_x: u32,
    pooled_height: u32,
    pooled_width: u32,
    bias: u32,  // where the bias lies behind the weights
    relu: bool,
    keep: bool,  // whether the choice is written
    block: u32, // images of a partial sum
    row: u32,   // invocations in a row of the grid of partial sums
    uniform_vectors: u32, // of the weights, where they are bound as a uniform; else 0
}

// The choice of a window whose ReLU was zero: no gradient passes.
const NO_CHOICE = 0xFFFFFFFFu;

fn windows() -> u32 {
    return params.pooled_height * params.pooled_width;
}

// The place of the convolution that a window chose.
fn chosen_place(window: u32, choice: u32) -> vec2<u32> {
    return vec2<u32>(
        window / params.pooled_width * params.pool_stride_y + choice / params.pool_width,
        window % params.pooled_width * params.pool_stride_x + choice % params.pool_width,
    );
}
