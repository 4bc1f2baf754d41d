// Matrix product with what belongs to a linear layer fused into it.
//
//   output[m, n] = finish(Σ_k a(m, k) · b(k, n)),   a(m, k) = a[m · a_m + k · a_k],   b(k, n) = b[k · b_k + n · b_n]
//
// The strides give the three forms: x Wᵀ (forwards), y W (gradient of the input), yᵀ x (gradient of the weights). The sum
// is one chain of `fma` in ascending k, so that every variant gives the same bits. `finish` adds a bias,
// applies a ReLU, or applies the mask of one. The gradient of the weights comes with that of the bias, Σ_k a(m, k), which
// lies behind it in the same buffer.
//
// Parameters, operands and `finish` are in product.wgsl. The simplest form: one invocation computes one element.

@compute @workgroup_size(16, 4)
fn matmul(@builtin(global_invocation_id) id: vec3<u32>) {
    let n = id.x;
    let m = id.y;
    let rows = select(state.live, params.m, params.batch_is_k);
    let depth = select(params.k, state.live, params.batch_is_k);
    if m >= rows || n >= params.n {
        return;
    }
    var sum = 0.0;
    if params.accumulate {
        sum = output[m * params.n + n];
    }
    for (var k = 0u; k < depth; k++) {
        sum = fma(a[m * params.a_m + k * params.a_k], b[k * params.b_k + n * params.b_n], sum);
    }
    output[m * params.n + n] = finish(sum, bias(n), m * params.n + n);

    if params.bias_gradient != 0u && n == 0u {
        var total = 0.0;
        if params.accumulate {
            total = output[params.bias_gradient + m];
        }
        for (var k = 0u; k < depth; k++) {
            total += a[m * params.a_m + k * params.a_k];
        }
        output[params.bias_gradient + m] = total;
    }
}
