use super::*;
use crate::random::uniform;
use approx::assert_relative_eq;

const SIZES: [u32; 5] = [1_000, 3_000, 10_000, 30_000, 60_000];

/// Three measurements a size, with noise of a relative size; the stream chooses among noises.
fn measured(sizes: &[u32], loss: impl Fn(f64) -> f64, noise: f64, stream: u32) -> Vec<(u32, f64)> {
    // Nearly normal: the sum of twelve uniform numbers less its mean.
    let normal = |size: u32, seed: u32| {
        let uniforms = (0..12).map(|part| f64::from(uniform([stream, seed], [size, part])));
        uniforms.sum::<f64>() - 6.0
    };
    let loss = &loss;
    let of_size =
        |&size: &u32| (1..=3).map(move |seed| (size, loss(f64::from(size)) * (1.0 + noise * normal(size, seed))));
    sizes.iter().flat_map(of_size).collect()
}

fn determined(measurements: &[(u32, f64)]) -> Law {
    match fit(measurements) {
        Fit::Determined(law) => law,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_law_is_found_again() {
    for (a, b, c) in [(40.0, 0.7, 0.01), (3.0, 0.35, 0.002), (1e6, 2.0, 0.05), (2.0, 0.1, 0.0)] {
        let law = determined(&measured(&SIZES, |size| a * size.powf(-b) + c, 0.0, 1));
        assert_relative_eq!(law.a, a, max_relative = 1e-4);
        assert_relative_eq!(law.b.value, b, max_relative = 1e-5);
        assert_relative_eq!(law.c.value, c, epsilon = 1e-5);
        assert_relative_eq!(law.at(5_000.0), a * 5_000_f64.powf(-b) + c, max_relative = 1e-6);
        assert!(law.deviation < 1e-6, "{law:?}");
    }
}

/// From `scipy.optimize.curve_fit` with `sigma` the mean of each size, `absolute_sigma=False`.
#[test]
fn values_and_errors_are_those_of_another_fit() {
    let losses = [
        0.31459, 0.30603, 0.32366, 0.16056, 0.16619, 0.15812, 0.07137, 0.07052, 0.07614, 0.0426, 0.03992, 0.03695,
        0.02674, 0.03033, 0.02837,
    ];
    let sizes = SIZES.iter().flat_map(|size| [*size; 3]);
    let law = determined(&sizes.clone().zip(losses).collect::<Vec<_>>());
    assert_relative_eq!(law.a, 33.673_142, max_relative = 1e-4);
    assert_relative_eq!(law.ln_a_error, 0.210_802, max_relative = 1e-4);
    assert_relative_eq!(law.b.value, 0.678_540, max_relative = 1e-5);
    assert_relative_eq!(law.b.error.expect("free"), 0.028_839_1, max_relative = 1e-4);
    assert_relative_eq!(law.c.value, 0.009_061_87, max_relative = 1e-4);
    assert_relative_eq!(law.c.error.expect("free"), 0.002_568_92, max_relative = 1e-4);
    assert_relative_eq!(law.at_twice.value, 0.021_108_2, max_relative = 1e-5);
    assert_relative_eq!(law.at_twice.error.expect("free"), 0.001_139_97, max_relative = 1e-4);
    assert_eq!(law.degrees_of_freedom, 12);

    // Here c would be below 0; `curve_fit` was given a·n⁻ᵇ alone.
    let losses = [
        0.24422, 0.26626, 0.25182, 0.1763, 0.17758, 0.17553, 0.12274, 0.11906, 0.11591, 0.08297, 0.08468, 0.07463,
        0.06297, 0.06066, 0.06324,
    ];
    let law = determined(&sizes.zip(losses).collect::<Vec<_>>());
    assert_relative_eq!(law.a, 2.723_637, max_relative = 1e-4);
    assert_relative_eq!(law.ln_a_error, 0.058_844_8, max_relative = 1e-4);
    assert_relative_eq!(law.b.value, 0.341_904, max_relative = 1e-5);
    assert_relative_eq!(law.b.error.expect("free"), 0.006_388_91, max_relative = 1e-4);
    assert_eq!(law.c, Estimate { value: 0.0, error: None });
    assert_relative_eq!(law.at_twice.value, 0.049_952_5, max_relative = 1e-5);
    assert_relative_eq!(law.at_twice.error.expect("free"), 0.000_960_678, max_relative = 1e-4);
    assert_eq!(law.degrees_of_freedom, 13);
}

#[test]
fn the_errors_are_as_large_as_they_say() {
    let (b, c) = (0.6, 0.02);
    let quantile = t_quantile(12.0);
    let mut within = 0;
    for stream in 0..200 {
        let law = determined(&measured(&SIZES, |size| 20.0 * size.powf(-b) + c, 0.04, stream));
        let margin = |estimate: Estimate| quantile * estimate.error.expect("c is far from 0");
        within += u32::from((law.b.value - b).abs() < margin(law.b));
        within += u32::from((law.c.value - c).abs() < margin(law.c));
    }
    // 95 % of 400.
    assert!((360..=396).contains(&within), "{within}");
}

#[test]
fn what_does_not_determine_a_law_is_said() {
    let reason = |loss: &dyn Fn(f64) -> f64, noise: f64| match fit(&measured(&SIZES, loss, noise, 3)) {
        Fit::Determined(law) => panic!("{law:?}"),
        Fit::Undetermined { reason, .. } | Fit::None { reason } => reason,
    };
    assert!(reason(&|size| 0.2 + size / 1e6, 0.01).contains("does not fall"));
    assert!(reason(&|_| 0.3, 0.0).contains("does not fall"));
    assert!(reason(&|size| 2.0 - 0.005 * size.ln(), 0.0).contains("logarithm"));
    assert!(reason(&|size| if size < 2_000.0 { 1.0 } else { 0.1 }, 0.0).contains("first step"));
    assert!(reason(&|_| 0.0, 0.0).contains("a loss is 0"));
    // A law so small that the noise hides it: the fit says that it does not know, whatever it is that it found.
    let quantile = t_quantile(12.0);
    for stream in 0..50 {
        let hidden = measured(&SIZES, |size| 0.3 + 0.1 * size.powf(-0.5), 0.05, stream);
        if let Fit::Determined(law) = fit(&hidden) {
            assert!(law.b.value > quantile * law.b.error.unwrap_or(0.0), "{law:?}");
        }
    }
}

#[test]
fn it_takes_four_sizes() {
    let all = measured(&SIZES, |size| 20.0 / size.sqrt(), 0.0, 1);
    let three: Vec<_> = all.iter().copied().filter(|(size, _)| *size < 20_000).collect();
    assert_eq!(fit(&three), Fit::None { reason: "it takes at least 4 sizes, not 3".into() });
    assert_eq!(fit(&[]), Fit::None { reason: "it takes at least 4 sizes, not 0".into() });
    // One measurement a size leaves one degree of freedom.
    let single: Vec<_> = SIZES[..4].iter().map(|&size| (size, 20.0 / f64::from(size).sqrt() + 0.01)).collect();
    assert_eq!(determined(&single).degrees_of_freedom, 1);
}

#[test]
fn extreme_sizes_do_not_break_it() {
    let sizes = [1, 2, 3, 4_000_000_000];
    for exponent in [0.02, 0.5, 5.0] {
        let law = determined(&measured(&sizes, |size| size.powf(-exponent) + 0.1, 0.0, 1));
        assert_relative_eq!(law.b.value, exponent, max_relative = 1e-3);
    }
    let near = [59_997, 59_998, 59_999, 60_000];
    fit(&measured(&near, |size| 20.0 / size.sqrt(), 0.05, 1));
}
