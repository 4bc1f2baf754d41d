// Matrix product as in matmul.wgsl, which explains the formula, the forms and the parameters.
//
// Each invocation computes a tile of 8 × 16 elements of the output in registers: for every k it loads 8 elements of a and
// 16 of b, and uses each 16 or 8 times. Each row of the tile, and each vector of a row, has a name of its own: what an index
// reaches, a matrix among it, some devices keep in memory. No workgroup memory: for devices that execute on a CPU, where
// that is main memory too.
//
// Sums are loaded and stored a row at a time, while the others move down or up: written out for all 128, that alone would be
// most of what a device has to compile.
//
// Rows and columns beyond the edge repeat the last one; what such columns compute is stored as that.

// A row of the tile.
struct Sixteen {
    x: vec4<f32>,
    y: vec4<f32>,
    z: vec4<f32>,
    w: vec4<f32>,
}

@compute @workgroup_size(8)
fn matmul(@builtin(global_invocation_id) id: vec3<u32>) {
    let tiles_in_row = (params.n + 15u) / 16u;
    let first_n = id.x % tiles_in_row * 16u;
    let first_m = id.x / tiles_in_row * 8u;
    let rows = select(state.live, params.m, params.batch_is_k);
    let depth = select(params.k, state.live, params.batch_is_k);
    if first_m >= rows || first_n >= params.n {
        return;
    }
    let upper_m = min(first_m + vec4(0u, 1u, 2u, 3u), vec4(rows - 1u));
    let lower_m = min(first_m + vec4(4u, 5u, 6u, 7u), vec4(rows - 1u));
    let n0 = min(first_n + vec4(0u, 1u, 2u, 3u), vec4(params.n - 1u));
    let n1 = min(first_n + vec4(4u, 5u, 6u, 7u), vec4(params.n - 1u));
    let n2 = min(first_n + vec4(8u, 9u, 10u, 11u), vec4(params.n - 1u));
    let n3 = min(first_n + vec4(12u, 13u, 14u, 15u), vec4(params.n - 1u));

    var sums0 = Sixteen();
    var sums1 = Sixteen();
    var sums2 = Sixteen();
    var sums3 = Sixteen();
    var sums4 = Sixteen();
    var sums5 = Sixteen();
    var sums6 = Sixteen();
    var sums7 = Sixteen();
    if params.accumulate {
        for (var m = min(first_m + 8u, rows); m > first_m; m--) {
            sums7 = sums6;
            sums6 = sums5;
            sums5 = sums4;
            sums4 = sums3;
            sums3 = sums2;
            sums2 = sums1;
            sums1 = sums0;
            sums0 = stored(m - 1u, n0, n1, n2, n3);
        }
    }
    for (var k = 0u; k < depth; k++) {
        let start = k * params.b_k;
        let columns = Sixteen(
            four_of_b(start + n0 * params.b_n),
            four_of_b(start + n1 * params.b_n),
            four_of_b(start + n2 * params.b_n),
            four_of_b(start + n3 * params.b_n),
        );
        let upper = four_of_a(upper_m * params.a_m + k * params.a_k);
        let lower = four_of_a(lower_m * params.a_m + k * params.a_k);
        sums0 = add(sums0, upper.x, columns);
        sums1 = add(sums1, upper.y, columns);
        sums2 = add(sums2, upper.z, columns);
        sums3 = add(sums3, upper.w, columns);
        sums4 = add(sums4, lower.x, columns);
        sums5 = add(sums5, lower.y, columns);
        sums6 = add(sums6, lower.z, columns);
        sums7 = add(sums7, lower.w, columns);
    }
    let biases = Sixteen(four_biases(n0), four_biases(n1), four_biases(n2), four_biases(n3));
    for (var m = first_m; m < min(first_m + 8u, rows); m++) {
        store(sums0, biases, m, n0, n1, n2, n3);
        sums0 = sums1;
        sums1 = sums2;
        sums2 = sums3;
        sums3 = sums4;
        sums4 = sums5;
        sums5 = sums6;
        sums6 = sums7;
    }

    if params.bias_gradient != 0u && first_n == 0u {
        // One loop over k for all rows: llvmpipe ends the loops of an invocation after 65,535 iterations.
        var upper = vec4<f32>();
        var lower = vec4<f32>();
        if params.accumulate {
            upper = four_of_output(params.bias_gradient + upper_m);
            lower = four_of_output(params.bias_gradient + lower_m);
        }
        for (var k = 0u; k < depth; k++) {
            upper += four_of_a(upper_m * params.a_m + k * params.a_k);
            lower += four_of_a(lower_m * params.a_m + k * params.a_k);
        }
        for (var i = 0u; i < 4u; i++) {
            output[params.bias_gradient + upper_m[i]] = upper[i];
            output[params.bias_gradient + lower_m[i]] = lower[i];
        }
    }
}

fn add(sums: Sixteen, value: f32, columns: Sixteen) -> Sixteen {
    let row = vec4(value);
    return Sixteen(
        fma(row, columns.x, sums.x),
        fma(row, columns.y, sums.y),
        fma(row, columns.z, sums.z),
        fma(row, columns.w, sums.w),
    );
}

fn four_of_a(at: vec4<u32>) -> vec4<f32> {
    return vec4(a[at.x], a[at.y], a[at.z], a[at.w]);
}

fn four_of_b(at: vec4<u32>) -> vec4<f32> {
    return vec4(b[at.x], b[at.y], b[at.z], b[at.w]);
}

fn four_of_output(at: vec4<u32>) -> vec4<f32> {
    return vec4(output[at.x], output[at.y], output[at.z], output[at.w]);
}

fn stored(m: u32, n0: vec4<u32>, n1: vec4<u32>, n2: vec4<u32>, n3: vec4<u32>) -> Sixteen {
    let start = m * params.n;
    return Sixteen(
        four_of_output(start + n0),
        four_of_output(start + n1),
        four_of_output(start + n2),
        four_of_output(start + n3),
    );
}

fn four_biases(n: vec4<u32>) -> vec4<f32> {
    return vec4(bias(n.x), bias(n.y), bias(n.z), bias(n.w));
}

fn store(sums: Sixteen, biases: Sixteen, m: u32, n0: vec4<u32>, n1: vec4<u32>, n2: vec4<u32>, n3: vec4<u32>) {
    store_four(sums.x, biases.x, m, n0);
    store_four(sums.y, biases.y, m, n1);
    store_four(sums.z, biases.z, m, n2);
    store_four(sums.w, biases.w, m, n3);
}

fn store_four(sums: vec4<f32>, biases: vec4<f32>, m: u32, n: vec4<u32>) {
    let start = m * params.n;
    output[start + n.x] = finish(sums.x, biases.x, start + n.x);
    output[start + n.y] = finish(sums.y, biases.y, start + n.y);
    output[start + n.z] = finish(sums.z, biases.z, start + n.z);
    output[start + n.w] = finish(sums.w, biases.w, start + n.w);
}
