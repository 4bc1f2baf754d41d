// What the kernels share whose workgroup is a subgroup of eight invocations: each loads one number of eight, and all use
// all eight. On a device that executes on a CPU the invocations of a subgroup are the lanes of a vector register: a load
// takes as long as the loads of its lanes together, and a broadcast next to nothing.

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
