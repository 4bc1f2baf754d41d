//! The exponential function and the logarithm, from operations that every device rounds alike; the twin of
//! `shaders/exponential.wgsl`, which explains them.

/// ln 2 in two parts, the first of 9 bits.
const LN_2_HIGH: f32 = 355.0 / 512.0;
const LN_2_LOW: f32 = -2.121_944_4e-4;

/// eˣ for x ≤ 0. What is no number stays so.
#[inline(always)]
pub(super) fn exponential(x: f32) -> f32 {
    let n = x.mul_add(std::f32::consts::LOG2_E, 0.5).floor();
    let r = n.mul_add(-LN_2_LOW, n.mul_add(-LN_2_HIGH, x));
    let mut series = 1.0 / 5040.0;
    for coefficient in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        series = r.mul_add(series, coefficient);
    }
    let power = f32::from_bits(((n + 127.0) as u32) << 23);
    if x < -87.0 { 0.0 } else { series * power }
}

/// ln x for x ≥ 1. What is no number stays so.
#[inline(always)]
pub(super) fn logarithm(x: f32) -> f32 {
    let n = x.to_bits().wrapping_sub(0x3F35_04F3) >> 23;
    let m = x * f32::from_bits(127_u32.wrapping_sub(n) << 23);
    let s = (m - 1.0) / (m + 1.0);
    let square = s * s;
    let mut series = 2.0 / 9.0;
    for coefficient in [2.0 / 7.0, 2.0 / 5.0, 2.0 / 3.0, 2.0] {
        series = square.mul_add(series, coefficient);
    }
    (n as f32).mul_add(LN_2_HIGH, (n as f32).mul_add(LN_2_LOW, series * s))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The largest error of a function over its arguments, in units of ε times its value.
    fn largest_error(arguments: impl Iterator<Item = f32>, ours: fn(f32) -> f32, exact: fn(f64) -> f64) -> f64 {
        let error = |x: f32| {
            let (ours, exact) = (f64::from(ours(x)), exact(f64::from(x)));
            (ours - exact).abs() / (exact.abs() * f64::from(f32::EPSILON)).max(f64::MIN_POSITIVE)
        };
        arguments.map(error).fold(0.0, f64::max)
    }

    #[test]
    fn the_exponential_is_right_to_two_units_in_the_last_place() {
        let arguments = (0..870_000).map(|index| index as f32 * -1e-4);
        let error = largest_error(arguments, exponential, f64::exp);
        assert!(error < 2.0, "{error}");
        let tiny = (0..100_000).map(|index| f32::from_bits(0x8000_0000 + index * 10_000));
        assert!(largest_error(tiny, exponential, f64::exp) < 2.0);
    }

    #[test]
    fn the_logarithm_is_right_to_two_units_in_the_last_place() {
        let small = (0..1 << 20).map(|index| f32::from_bits(0x3F80_0000 + 8 * index));
        let error = largest_error(small, logarithm, f64::ln);
        assert!(error < 2.0, "{error}");
        let large = (0..1_000_000).map(|index| 1.0 + index as f32 * 0.01);
        assert!(largest_error(large, logarithm, f64::ln) < 2.0);
    }

    #[test]
    fn ends_of_the_range() {
        let ends =
            [exponential(0.0), exponential(-87.5), exponential(-1e30), exponential(f32::NEG_INFINITY), logarithm(1.0)];
        assert_eq!(ends.map(f32::to_bits), [1.0_f32, 0.0, 0.0, 0.0, 0.0].map(f32::to_bits));
        assert!(exponential(f32::NAN).is_nan() && logarithm(f32::NAN).is_nan());
    }
}
