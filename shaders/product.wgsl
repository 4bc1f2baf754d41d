// What the variants of matmul share: parameters, operands, and what is done to a finished sum. The formula is in matmul.wgsl.

struct Params {
    m: u32,
    n: u32,
    k: u32,
    a_m: u32, // strides
    a_k: u32,
    b_k: u32,
    b_n: u32,
    batch_is_k: u32,    // which of m and k counts the live rows of the batch
    bias: u32,          // `extra` is the bias [n]
    relu: u32,
    mask: u32,          // `extra` is the mask [m, n]
    accumulate: u32,    // the sums begin with what the output holds
    bias_gradient: u32, // where the sums of a lie in the output, or 0
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> state: State;
@group(0) @binding(2) var<storage, read> a: array<f32>;
@group(0) @binding(3) var<storage, read> b: array<f32>;
@group(0) @binding(4) var<storage, read> extra: array<f32>;
@group(0) @binding(5) var<storage, read_write> output: array<f32>;

fn finish(sum: f32, m: u32, n: u32) -> f32 {
    var value = sum;
    if params.bias != 0u {
        value += extra[n];
    }
    if params.relu != 0u && value <= 0.0 {
        value = 0.0;
    }
    if params.mask != 0u && extra[m * params.n + n] <= 0.0 {
        value = 0.0;
    }
    return value;
}
