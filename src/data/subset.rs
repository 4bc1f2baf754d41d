//! Which training images to learn from and which to hold out: seeded, balanced over the classes, and nested.

use crate::random::{Permutation, Purpose};
use crate::{Error, Result};

/// Indices into the training split; no index occurs twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// The images to learn from.
    pub train: Vec<u32>,
    /// The images that are held out.
    pub validation: Vec<u32>,
}

/// What a seeded order is drawn for; the uppermost bit of its streams.
#[derive(Clone, Copy)]
enum Drawing {
    Validation = 0,
    Train = 1,
}

/// Selects `train_size` training images and `validation` others from a training split with these labels.
///
/// The validation images are drawn first, from all images; the training images from the rest. Both are taken from the
/// beginning of a seeded order that goes round the classes, so that the counts of two classes differ by at most one
/// while both have images left, and a smaller selection is a prefix of a larger one with the same seed (and, for
/// training images, the same number of validation images). Without `train_size` all the rest is taken, in file order.
///
/// Errors if a size is 0 or more than there is, if nothing is left to train on, or if a label has no class.
pub fn split(
    labels: &[u8],
    classes: usize,
    validation: Option<usize>,
    train_size: Option<usize>,
    seed: u32,
) -> Result<Selection> {
    let count = labels.len();
    if let Some(index) = labels.iter().position(|&label| usize::from(label) >= classes) {
        let label = labels[index];
        return Err(Error::Data(format!("expected labels below {classes}, found {label} for training image {index}")));
    }
    let mut rest: Vec<u32> = (0..count as u32).collect();
    let mut held_out = Vec::new();
    if let Some(size) = validation {
        check("--validation", size, count, "training images")?;
        if size == count {
            let problem = format!("--validation {size} leaves nothing to train on: there are {count} training images");
            return Err(Error::Usage(problem));
        }
        held_out = balanced_order(&rest, labels, classes, seed, Drawing::Validation);
        held_out.truncate(size);
        let mut is_held_out = vec![false; count];
        for &index in &held_out {
            is_held_out[index as usize] = true;
        }
        rest.retain(|&index| !is_held_out[index as usize]);
    }
    let train = match train_size {
        Some(size) => {
            let what = match validation {
                Some(held) => format!("training images beside the {held} of --validation"),
                None => "training images".into(),
            };
            check("--train-size", size, rest.len(), &what)?;
            let mut order = balanced_order(&rest, labels, classes, seed, Drawing::Train);
            order.truncate(size);
            order
        }
        None => rest,
    };
    Ok(Selection { train, validation: held_out })
}

fn check(option: &str, size: usize, available: usize, what: &str) -> Result<()> {
    if size == 0 {
        return Err(Error::Usage(format!("{option} 0: expected at least 1")));
    }
    if size > available {
        return Err(Error::Usage(format!("{option} {size}: there are {available} {what}")));
    }
    Ok(())
}

/// All of `indices` in a seeded order that takes one image of each class that has any left, then the next of each.
///
/// The images of a class come in a permutation of their own, and the classes of every round too.
fn balanced_order(indices: &[u32], labels: &[u8], classes: usize, seed: u32, drawing: Drawing) -> Vec<u32> {
    let permutation = |round: bool, number: usize, count: usize| {
        let stream = ((drawing as u32) << 31) | (u32::from(round) << 30) | number as u32;
        let permutation = Permutation::new(seed, Purpose::Split, stream, count as u32);
        (0..count as u32).map(move |position| permutation.at(position) as usize)
    };
    let mut by_class = vec![Vec::new(); classes];
    for &index in indices {
        by_class[usize::from(labels[index as usize])].push(index);
    }
    let shuffled: Vec<Vec<u32>> = by_class
        .iter()
        .enumerate()
        .map(|(class, images)| permutation(false, class, images.len()).map(|position| images[position]).collect())
        .collect();
    let rounds = shuffled.iter().map(Vec::len).max().unwrap_or(0);
    (0..rounds)
        .flat_map(|round| permutation(true, round, classes).map(move |class| (round, class)))
        .filter_map(|(round, class)| shuffled[class].get(round).copied())
        .collect()
}
