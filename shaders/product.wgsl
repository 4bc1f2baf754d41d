// What the variants of matmul share: parameters, operands, and what is done to a finished sum. The formula is in matmul.wgsl.

struct Params {
    m: u32,             // 0 where the live rows of the batch count it
    n: u32,
    k: u32,             // the same
    a_m: u32,           // strides
    a_k: u32,
    b_k: u32,
    b_n: u32,
    batch_is_k: bool,   // which of m and k counts the live rows of the batch
    bias: bool,         // `extra` is the bias [n]
    relu: bool,
    mask: bool,         // `extra` is the mask [m, n]
    accumulate: bool,   // the sums begin with what the output holds
    bias_gradient: u32, // where the sums of a lie in the output, or 0
}

@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read> extra: array<f32>;
@group(0) @binding(4) var<storage, read_write> output: array<f32>;

// What is added to the sums of column n.
fn bias(n: u32) -> f32 {
    if params.bias {
        return extra[n];
    }
    return 0.0;
}

// What becomes of a sum whose place in the output is `at`.
fn finish(sum: f32, bias: f32, at: u32) -> f32 {
    var value = sum + bias;
    if params.relu {
        value = select(value, 0.0, value <= 0.0);
    }
    if params.mask {
        value = select(value, 0.0, extra[at] <= 0.0);
    }
    return value;
}
