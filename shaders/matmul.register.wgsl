// Matrix product as in matmul.wgsl, which explains the formula, the forms and the parameters.
//
// Each invocation computes a tile of ROWS × 4 · VECTORS elements of the output in registers: for every k it loads as many
// elements of a as the tile has rows and of b as it has columns, and uses each ROWS or 4 · VECTORS times. No workgroup
// memory: for devices that execute on a CPU, where that is main memory too.
//
// Rows and columns beyond the edge repeat the last one; what they compute is not stored.

@compute @workgroup_size(8)
fn matmul(@builtin(global_invocation_id) id: vec3<u32>) {
    let tiles_in_row = (params.n + 4u * VECTORS - 1u) / (4u * VECTORS);
    let first_n = id.x % tiles_in_row * 4u * VECTORS;
    let first_m = id.x / tiles_in_row * ROWS;
    let rows = select(state.live, params.m, params.batch_is_k != 0u);
    let depth = select(params.k, state.live, params.batch_is_k != 0u);
    if first_m >= rows || first_n >= params.n {
        return;
    }
    let last_m = rows - 1u;
    let last_n = params.n - 1u;

    var sums: array<array<vec4<f32>, VECTORS>, ROWS>;
    if params.accumulate != 0u {
        for (var i = 0u; i < ROWS; i++) {
            let row = min(first_m + i, last_m) * params.n;
            for (var j = 0u; j < VECTORS; j++) {
                let n = first_n + 4u * j;
                sums[i][j] = vec4<f32>(
                    output[row + min(n, last_n)],
                    output[row + min(n + 1u, last_n)],
                    output[row + min(n + 2u, last_n)],
                    output[row + min(n + 3u, last_n)],
                );
            }
        }
    }
    for (var k = 0u; k < depth; k++) {
        var columns: array<vec4<f32>, VECTORS>;
        for (var j = 0u; j < VECTORS; j++) {
            let n = first_n + 4u * j;
            let start = k * params.b_k;
            columns[j] = vec4<f32>(
                b[start + min(n, last_n) * params.b_n],
                b[start + min(n + 1u, last_n) * params.b_n],
                b[start + min(n + 2u, last_n) * params.b_n],
                b[start + min(n + 3u, last_n) * params.b_n],
            );
        }
        for (var i = 0u; i < ROWS; i++) {
            let value = vec4<f32>(a[min(first_m + i, last_m) * params.a_m + k * params.a_k]);
            for (var j = 0u; j < VECTORS; j++) {
                sums[i][j] = fma(value, columns[j], sums[i][j]);
            }
        }
    }
    for (var i = 0u; i < ROWS; i++) {
        let m = first_m + i;
        for (var j = 0u; j < 4u * VECTORS; j++) {
            let n = first_n + j;
            if m < rows && n < params.n {
                output[m * params.n + n] = finish(sums[i][j / 4u][j % 4u], m, n);
            }
        }
    }

    if params.bias_gradient != 0u && first_n == 0u {
        // One loop over k for all rows: llvmpipe ends the loops of an invocation after 65,535 iterations.
        var totals: array<f32, ROWS>;
        if params.accumulate != 0u {
            for (var i = 0u; i < ROWS; i++) {
                totals[i] = output[params.bias_gradient + min(first_m + i, last_m)];
            }
        }
        for (var k = 0u; k < depth; k++) {
            for (var i = 0u; i < ROWS; i++) {
                totals[i] += a[min(first_m + i, last_m) * params.a_m + k * params.a_k];
            }
        }
        for (var i = 0u; i < ROWS; i++) {
            if first_m + i < rows {
                output[params.bias_gradient + first_m + i] = totals[i];
            }
        }
    }
}
