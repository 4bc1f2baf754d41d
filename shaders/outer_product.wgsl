// The step of a sum of outer products that is kept in registers: sums[j][i] += column[i] · row[j].

fn add_outer(sums: mat4x4<f32>, column: vec4<f32>, row: vec4<f32>) -> mat4x4<f32> {
    return mat4x4<f32>(
        fma(column, row.xxxx, sums[0]),
        fma(column, row.yyyy, sums[1]),
        fma(column, row.zzzz, sums[2]),
        fma(column, row.wwww, sums[3]),
    );
}
