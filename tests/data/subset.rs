//! The selection of training and validation images: disjoint, balanced, nested, and set by the seed alone.

use mnist_gpu::Error;
use mnist_gpu::data::{Dataset, Selection, split};
use proptest::collection::vec;
use proptest::prelude::*;

/// Asserts that no class lies behind another by more than one image while it still has some left.
fn assert_balanced(chosen: &[u32], available: &[u32], labels: &[u8], classes: usize) -> Result<(), String> {
    let count = |indices: &[u32]| {
        let mut counts = vec![0_usize; classes];
        for &index in indices {
            counts[usize::from(labels[index as usize])] += 1;
        }
        counts
    };
    let (chosen, available) = (count(chosen), count(available));
    let most = chosen.iter().max().copied().unwrap_or(0);
    match (0..classes).find(|&class| chosen[class] < available[class] && chosen[class] + 1 < most) {
        Some(class) => Err(format!("class {class}: {chosen:?} chosen of {available:?}")),
        None => Ok(()),
    }
}

#[test]
fn the_balance_check_can_fail() {
    let labels = [0, 0, 0, 1, 1, 1];
    let all = [0, 1, 2, 3, 4, 5];
    assert!(assert_balanced(&[0, 1, 3], &all, &labels, 2).is_ok());
    assert!(assert_balanced(&[0, 1], &all, &labels, 2).is_err());
    assert!(assert_balanced(&[0, 1], &[0, 1, 2], &labels, 2).is_ok());
}

#[test]
fn without_sizes_all_images_are_taken_in_file_order() {
    let all = split(&[1, 0, 1], 2, None, None, 5).unwrap();
    assert_eq!(all, Selection { train: vec![0, 1, 2], validation: vec![] });
    let rest = split(&[1, 0, 1, 0, 1, 0], 2, Some(2), None, 5).unwrap();
    assert_eq!((rest.train.len(), rest.validation.len()), (4, 2));
    assert!(rest.train.is_sorted());
}

#[test]
fn sizes_that_cannot_be_met_say_what_there_is() {
    let choose = |validation, train_size| split(&[0, 1, 0, 1], 2, validation, train_size, 1).map(|_| ());
    assert!(choose(Some(3), Some(1)).is_ok() && choose(None, Some(4)).is_ok());
    for (validation, train_size, expected) in [
        (Some(0), None, "--validation 0: expected at least 1"),
        (None, Some(0), "--train-size 0: expected at least 1"),
        (Some(5), None, "--validation 5: there are 4 training images"),
        (Some(4), None, "--validation 4 leaves nothing to train on: there are 4 training images"),
        (None, Some(5), "--train-size 5: there are 4 training images"),
        (Some(2), Some(3), "--train-size 3: there are 2 training images beside the 2 of --validation"),
        (None, Some(usize::MAX), "there are 4 training images"),
    ] {
        let error = choose(validation, train_size).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
    let error = split(&[0, 3], 3, None, None, 1).unwrap_err();
    assert!(matches!(&error, Error::Data(text) if text.contains("below 3, found 3 for training image 1")), "{error:?}");
}

/// As the program is used: 1,200 images are the beginning of 12,000, with 120 of each digit.
#[test]
fn subsets_of_mnist_nest() {
    let labels = Dataset::mnist().train.labels;
    let choose = |size, seed| split(&labels, 10, Some(5_000), Some(size), seed).unwrap();
    let (small, large) = (choose(1_200, 42), choose(12_000, 42));
    assert_eq!(small.train, large.train[..1_200]);
    assert_eq!(small.validation, large.validation);
    for digit in 0..10 {
        let count = |indices: &[u32]| indices.iter().filter(|&&index| labels[index as usize] == digit).count();
        assert_eq!((count(&small.train), count(&small.validation)), (120, 500));
    }
    let other = choose(1_200, 43);
    let common = other.train.iter().filter(|index| small.train.contains(index)).count();
    assert!(common < 80, "two seeds share {common} of 1,200 images; chance gives about 26");
}

proptest! {
    #[test]
    fn selections_are_disjoint_balanced_and_nested(
        labels in vec(0_u8..7, 2..300),
        sizes in prop::array::uniform3(0.0..1.0_f64),
        seed in any::<u32>(),
    ) {
        let part = |of: usize, fraction: f64| 1 + (fraction * (of - 1) as f64) as usize;
        let count = labels.len();
        let validation = part(count - 1, sizes[0]);
        let large = part(count - validation, sizes[1]);
        let small = part(large, sizes[2]);
        let choose = |size| split(&labels, 8, Some(validation), Some(size), seed).unwrap();

        let selection = choose(large);
        prop_assert_eq!((selection.train.len(), selection.validation.len()), (large, validation));
        let mut used = [&selection.train[..], &selection.validation].concat();
        used.sort_unstable();
        used.dedup();
        prop_assert_eq!(used.len(), large + validation);
        prop_assert!(used.last().is_none_or(|&last| (last as usize) < count));

        let all: Vec<u32> = (0..count as u32).collect();
        let rest: Vec<u32> = all.iter().copied().filter(|index| !selection.validation.contains(index)).collect();
        prop_assert_eq!(assert_balanced(&selection.validation, &all, &labels, 8), Ok(()));
        prop_assert_eq!(assert_balanced(&selection.train, &rest, &labels, 8), Ok(()));

        let smaller = choose(small);
        prop_assert_eq!(&smaller.train[..], &selection.train[..small]);
        prop_assert_eq!(&smaller.validation, &selection.validation);
        prop_assert_eq!(choose(large), selection);
    }
}
