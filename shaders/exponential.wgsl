// The exponential function and the logarithm, from operations that every device rounds alike; the twin of
// src/cpu/exponential.rs. WGSL's own exp and log may err by many units in the last place, and differ from driver to driver.

const LN_2_HIGH = 355.0 / 512.0; // of 9 bits, so that a product with a small integer is exact
const LN_2_LOW = -2.12194440e-4; // ln 2 − LN_2_HIGH
const LOG2_E = 1.44269504;

// eˣ for x ≤ 0: 2ⁿ eʳ with |r| ≤ ln 2 / 2, and the Taylor series of eʳ to r⁷. Results below e⁻⁸⁷ are 0.
fn exponential(x: f32) -> f32 {
    let n = floor(fma(x, LOG2_E, 0.5));
    let r = fma(n, -LN_2_LOW, fma(n, -LN_2_HIGH, x));
    var series = 1.0 / 5040.0;
    series = fma(series, r, 1.0 / 720.0);
    series = fma(series, r, 1.0 / 120.0);
    series = fma(series, r, 1.0 / 24.0);
    series = fma(series, r, 1.0 / 6.0);
    series = fma(series, r, 0.5);
    series = fma(series, r, 1.0);
    series = fma(series, r, 1.0);
    let power = bitcast<f32>(u32(n + 127.0) << 23u);
    return select(series * power, 0.0, x < -87.0);
}

// ln x for x ≥ 1: x = 2ⁿ m with m from √½ to √2, and ln m = 2 artanh s = 2 (s + s³/3 + s⁵/5 + …) with s = (m − 1) / (m + 1).
fn logarithm(x: f32) -> f32 {
    let n = (bitcast<u32>(x) - 0x3F3504F3u) >> 23u; // the bits of √½
    let m = x * bitcast<f32>((127u - n) << 23u);
    let s = (m - 1.0) / (m + 1.0);
    let square = s * s;
    var series = 2.0 / 9.0;
    series = fma(series, square, 2.0 / 7.0);
    series = fma(series, square, 2.0 / 5.0);
    series = fma(series, square, 2.0 / 3.0);
    series = fma(series, square, 2.0);
    return fma(f32(n), LN_2_HIGH, fma(f32(n), LN_2_LOW, series * s));
}
