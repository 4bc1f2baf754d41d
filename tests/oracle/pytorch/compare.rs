//! Compares our numbers with PyTorch's and says where they part.

use super::fixture::{Expected, sample, sign};

/// How far a tensor may be off.
#[derive(Clone, Copy, Debug)]
pub struct Tolerance {
    /// Times |PyTorch's entry|.
    pub rtol: f64,
    /// Times the largest |entry| of PyTorch's tensor (of its samples, for one in parts): what cancels in a sum is off
    /// by a share of what went into it.
    pub of_largest: f64,
    /// Added to these.
    pub atol: f64,
    /// The share of the entries that may be further off than that ...
    pub stray: f64,
    /// ... but by no more than this.
    pub furthest: f64,
}

impl Tolerance {
    /// No strays.
    pub const fn strict(rtol: f64, of_largest: f64, atol: f64) -> Self {
        Self { rtol, of_largest, atol, stray: 0.0, furthest: 0.0 }
    }
}

/// Holds our tensor against PyTorch's.
///
/// Of a tensor in parts, the samples are compared like entries; the norm may be off by the norm of all entries' bounds
/// (the triangle inequality), a dot product with signs by four times that: four standard deviations of a sum of entries
/// that are off by all of their bounds.
///
/// # Errors
/// What differs: tensor, index, both values and the bound, of the first three entries.
pub fn compare(name: &str, ours: &[f32], expected: &Expected, tolerance: Tolerance) -> Result<(), String> {
    match expected {
        Expected::Whole(theirs) => {
            length(name, ours.len(), theirs.len())?;
            let pairs: Vec<_> = ours.iter().zip(theirs).enumerate().map(|(i, (&a, &b))| (i, f64::from(a), b)).collect();
            entries(name, &pairs, tolerance).map(drop)
        }
        Expected::Parts { len, norm, projections, samples } => {
            length(name, ours.len(), *len)?;
            let at = |(s, &theirs): (usize, &f64)| {
                let i = sample(s, *len);
                (i, f64::from(ours[i]), theirs)
            };
            let largest = entries(name, &samples.iter().enumerate().map(at).collect::<Vec<_>>(), tolerance)?;
            let n = *len as f64;
            let floor = tolerance.atol + tolerance.of_largest * largest;
            let bound = tolerance.rtol * norm + floor * n.sqrt() + tolerance.furthest * (tolerance.stray * n).sqrt();
            let wide = || ours.iter().map(|&x| f64::from(x));
            summary(name, "norm", wide().map(|x| x * x).sum::<f64>().sqrt(), *norm, bound)?;
            for (j, &theirs) in projections.iter().enumerate() {
                let product = wide().enumerate().map(|(i, x)| sign(j, i) * x).sum();
                summary(name, &format!("dot product {j}"), product, theirs, 4.0 * bound)?;
            }
            Ok(())
        }
    }
}

/// The largest difference from PyTorch's entries (from its samples, of a tensor in parts), and the largest of these.
pub fn distance(ours: &[f32], expected: &Expected) -> (f64, f64) {
    let pairs: Vec<(f32, f64)> = match expected {
        Expected::Whole(theirs) => ours.iter().copied().zip(theirs.iter().copied()).collect(),
        Expected::Parts { len, samples, .. } => {
            samples.iter().enumerate().map(|(s, &theirs)| (ours[sample(s, *len)], theirs)).collect()
        }
    };
    let largest = |sizes: &mut dyn Iterator<Item = f64>| sizes.fold(0.0, f64::max);
    let away = largest(&mut pairs.iter().map(|&(ours, theirs)| (f64::from(ours) - theirs).abs()));
    (away, largest(&mut pairs.iter().map(|(_, theirs)| theirs.abs())))
}

fn length(name: &str, ours: usize, theirs: usize) -> Result<(), String> {
    if ours == theirs { Ok(()) } else { Err(format!("{name}: {ours} elements, PyTorch has {theirs}")) }
}

/// Compares (index, ours, theirs); gives the largest of theirs.
fn entries(name: &str, pairs: &[(usize, f64, f64)], tolerance: Tolerance) -> Result<f64, String> {
    let largest = pairs.iter().map(|(_, _, theirs)| theirs.abs()).fold(0.0, f64::max);
    let (mut strays, mut far) = (Vec::new(), Vec::new());
    for &(i, ours, theirs) in pairs {
        let bound = tolerance.atol + tolerance.of_largest * largest + tolerance.rtol * theirs.abs();
        let away = (ours - theirs).abs();
        let line = |bound: f64| format!("\n  {name}[{i}]: ours {ours:e}, PyTorch {theirs:e}, bound {bound:e}");
        if away.is_nan() || away > bound {
            strays.push(line(bound));
        }
        if away.is_nan() || away > bound.max(tolerance.furthest) {
            far.push(line(bound.max(tolerance.furthest)));
        }
    }
    let allowed = (tolerance.stray * pairs.len() as f64) as usize;
    let (count, lines) = if far.is_empty() { (strays.len(), &strays) } else { (far.len(), &far) };
    if far.is_empty() && count <= allowed {
        return Ok(largest);
    }
    let first = lines[..count.min(3)].concat();
    Err(format!("{name}: {count} of {} entries are off ({allowed} may be, a little):{first}", pairs.len()))
}

fn summary(name: &str, what: &str, ours: f64, theirs: f64, bound: f64) -> Result<(), String> {
    let away = (ours - theirs).abs();
    if away <= bound {
        return Ok(());
    }
    Err(format!("{name}: {what}: ours {ours:e}, PyTorch {theirs:e}, bound {bound:e}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRICT: Tolerance = Tolerance::strict(1e-3, 1e-4, 0.0);
    const LENIENT: Tolerance = Tolerance { rtol: 0.0, of_largest: 0.0, atol: 1e-5, stray: 1e-3, furthest: 1e-4 };

    fn numbers(len: usize) -> Vec<f32> {
        crate::reference::random::signed(0, len).into_iter().map(|x| x as f32).collect()
    }

    fn whole(numbers: &[f32]) -> Expected {
        Expected::Whole(numbers.iter().map(|&x| f64::from(x)).collect())
    }

    fn parts(numbers: &[f32]) -> Expected {
        let (len, wide) = (numbers.len(), || numbers.iter().map(|&x| f64::from(x)));
        Expected::Parts {
            len,
            norm: wide().map(|x| x * x).sum::<f64>().sqrt(),
            projections: [0, 1, 2, 3].map(|j| wide().enumerate().map(|(i, x)| sign(j, i) * x).sum()),
            samples: (0..4096).map(|s| f64::from(numbers[sample(s, len)])).collect(),
        }
    }

    #[test]
    fn equal_tensors_pass_and_other_lengths_do_not() {
        let ours = numbers(2_000);
        for expected in [whole(&ours), parts(&ours)] {
            assert_eq!(compare("w", &ours, &expected, STRICT), Ok(()));
            let error = compare("w", &ours[1..], &expected, STRICT).unwrap_err();
            assert_eq!(error, "w: 1999 elements, PyTorch has 2000");
        }
    }

    #[test]
    fn one_wrong_entry_is_found_and_named() {
        let theirs = numbers(2_000);
        for wrong in [theirs[7] + 3e-3, f32::NAN, f32::INFINITY] {
            let mut ours = theirs.clone();
            ours[7] = wrong;
            let error = compare("w", &ours, &whole(&theirs), STRICT).unwrap_err();
            assert!(error.starts_with("w: 1 of 2000 entries are off (0 may be, a little):\n  w[7]: ours"), "{error}");
            assert!(error.contains("PyTorch") && error.contains("bound"), "{error}");
        }
    }

    #[test]
    fn a_share_of_strays_passes_and_one_more_does_not() {
        let theirs = numbers(3_000);
        let off = |count: usize, by: f32| -> Vec<f32> {
            theirs.iter().enumerate().map(|(i, x)| if i < count { x + by } else { *x }).collect()
        };
        assert_eq!(compare("w", &off(3, 9e-5), &whole(&theirs), LENIENT), Ok(()));
        assert!(compare("w", &off(4, 9e-5), &whole(&theirs), LENIENT).unwrap_err().starts_with("w: 4 of 3000"));
        assert!(compare("w", &off(1, 2e-4), &whole(&theirs), LENIENT).unwrap_err().starts_with("w: 1 of 3000"));
    }

    #[test]
    fn what_the_samples_miss_is_seen_by_the_norm_or_a_dot_product() {
        let theirs = numbers(100_000);
        let sampled: Vec<usize> = (0..4096).map(|s| sample(s, theirs.len())).collect();
        let others = |change: fn(f32) -> f32| -> Vec<f32> {
            theirs.iter().enumerate().map(|(i, &x)| if sampled.contains(&i) { x } else { change(x) }).collect()
        };
        let error = compare("w", &others(|x| 1.01 * x), &parts(&theirs), STRICT).unwrap_err();
        assert!(error.starts_with("w: norm: ours"), "{error}");
        let error = compare("w", &others(|x| -x), &parts(&theirs), STRICT).unwrap_err();
        assert!(error.starts_with("w: dot product 0: ours"), "{error}");
        let mut ours = theirs.clone();
        ours[sampled[100]] += 0.01;
        let error = compare("w", &ours, &parts(&theirs), STRICT).unwrap_err();
        assert!(error.contains(&format!("\n  w[{}]: ours", sampled[100])), "{error}");
    }
}
