// Matrix product as in matmul.wgsl, which explains the formula, the forms and the parameters; for subgroups of eight.
//
// A workgroup computes a tile of 16 × 32 elements of the output: each of its eight invocations four columns, eight apart,
// in registers. For every k an invocation loads four elements of b and two of a; those of a all eight use. What loads cost
// where this pays is in conv2d_forward.subgroup.wgsl.
//
// Sums are loaded and stored a row at a time, as in matmul.register.wgsl. Rows and columns beyond the edge repeat the last
// one; what such columns compute is stored as that.

@compute @workgroup_size(8)
fn matmul(@builtin(workgroup_id) group: vec3<u32>, @builtin(subgroup_invocation_id) lane: u32) {
    let first_n = group.x * 32u;
    let first_m = group.y * 16u;
    let rows = select(state.live, params.m, params.batch_is_k);
    let depth = select(params.k, state.live, params.batch_is_k);
    if first_m >= rows {
        return;
    }
    let n = min(first_n + lane + vec4(0u, 8u, 16u, 24u), vec4(params.n - 1u));
    let upper_m = min(first_m + lane, rows - 1u);
    let lower_m = min(first_m + 8u + lane, rows - 1u);

    var upper = Eight();
    var lower = Eight();
    if params.accumulate {
        for (var m = first_m + 8u; m > first_m; m--) {
            upper = moved_down(stored(min(m, rows) - 1u, n), upper);
            lower = moved_down(stored(min(m + 8u, rows) - 1u, n), lower);
        }
    }
    for (var k = 0u; k < depth; k++) {
        let at = k * params.b_k + n * params.b_n;
        let values = vec4(b[at.x], b[at.y], b[at.z], b[at.w]);
        upper = add_eight(upper, a[upper_m * params.a_m + k * params.a_k], values);
        lower = add_eight(lower, a[lower_m * params.a_m + k * params.a_k], values);
    }
    let biases = vec4(bias(n.x), bias(n.y), bias(n.z), bias(n.w));
    for (var m = first_m; m < min(first_m + 8u, rows); m++) {
        store(upper.r0, biases, m, n);
        store(lower.r0, biases, min(m + 8u, rows - 1u), n);
        upper = moved_up(upper);
        lower = moved_up(lower);
    }

    if params.bias_gradient != 0u && first_n == 0u {
        var sums = vec2<f32>();
        if params.accumulate {
            sums = vec2(output[params.bias_gradient + upper_m], output[params.bias_gradient + lower_m]);
        }
        for (var k = 0u; k < depth; k++) {
            sums += vec2(a[upper_m * params.a_m + k * params.a_k], a[lower_m * params.a_m + k * params.a_k]);
        }
        output[params.bias_gradient + upper_m] = sums.x;
        output[params.bias_gradient + lower_m] = sums.y;
    }
}

fn stored(m: u32, n: vec4<u32>) -> vec4<f32> {
    let at = m * params.n + n;
    return vec4(output[at.x], output[at.y], output[at.z], output[at.w]);
}

fn store(sums: vec4<f32>, biases: vec4<f32>, m: u32, n: vec4<u32>) {
    let at = m * params.n + n;
    output[at.x] = finish(sums.x, biases.x, at.x);
    output[at.y] = finish(sums.y, biases.y, at.y);
    output[at.z] = finish(sums.z, biases.z, at.z);
    output[at.w] = finish(sums.w, biases.w, at.w);
}

// Sums of an invocation: a vector for each of eight numbers.
struct Eight {
    r0: vec4<f32>,
    r1: vec4<f32>,
    r2: vec4<f32>,
    r3: vec4<f32>,
    r4: vec4<f32>,
    r5: vec4<f32>,
    r6: vec4<f32>,
    r7: vec4<f32>,
}

fn moved_down(first: vec4<f32>, rows: Eight) -> Eight {
    return Eight(first, rows.r0, rows.r1, rows.r2, rows.r3, rows.r4, rows.r5, rows.r6);
}

fn moved_up(rows: Eight) -> Eight {
    return Eight(rows.r1, rows.r2, rows.r3, rows.r4, rows.r5, rows.r6, rows.r7, rows.r7);
}

// sums[i] += the number of invocation i · values
fn add_eight(sums: Eight, number: f32, values: vec4<f32>) -> Eight {
    return Eight(
        fma(vec4(subgroupBroadcast(number, 0u)), values, sums.r0),
        fma(vec4(subgroupBroadcast(number, 1u)), values, sums.r1),
        fma(vec4(subgroupBroadcast(number, 2u)), values, sums.r2),
        fma(vec4(subgroupBroadcast(number, 3u)), values, sums.r3),
        fma(vec4(subgroupBroadcast(number, 4u)), values, sums.r4),
        fma(vec4(subgroupBroadcast(number, 5u)), values, sums.r5),
        fma(vec4(subgroupBroadcast(number, 6u)), values, sums.r6),
        fma(vec4(subgroupBroadcast(number, 7u)), values, sums.r7),
    );
}
