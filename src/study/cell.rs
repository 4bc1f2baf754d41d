//! The cells of a study, and which of them one process of several takes.

use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The most seeds of a study.
const MAX_SEEDS: u32 = 10_000;

/// One training run of a study: so many images, chosen and trained on with a seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Cell {
    /// How many training images.
    pub train_size: u32,
    /// Of the choice of images, the initial weights, the order of images, and dropout masks.
    pub seed: u32,
}

impl Cell {
    /// The name of its file.
    pub fn file_name(self) -> String {
        format!("{}-seed{}.json", self.train_size, self.seed)
    }
}

/// A fiftieth, a fifth and all of a number of images: 1,200, 12,000 and 60,000 of MNIST.
pub fn default_sizes(available: u32) -> Vec<u32> {
    let mut sizes = [50, 5, 1].map(|part| (available / part).max(1)).to_vec();
    sizes.dedup();
    sizes
}

/// Every size with the seeds 1 to `seeds`, in the order in which they are run: seed after seed, so that a whole curve is
/// there early.
///
/// # Errors
/// When a size is 0, more than there is, or given twice, or when there is no seed or far too many.
pub fn cells(sizes: &[u32], seeds: u32, available: u32) -> Result<Vec<Cell>> {
    let usage = |text: String| Err(Error::Usage(text));
    for (index, size) in sizes.iter().enumerate() {
        if *size == 0 {
            return usage("--sizes: a size must be at least 1, not 0".into());
        }
        if *size > available {
            return usage(format!("--sizes: {size} is more than there is: the data have {available} training images"));
        }
        if sizes[..index].contains(size) {
            return usage(format!("--sizes: {size} is given twice"));
        }
    }
    if seeds == 0 || seeds > MAX_SEEDS {
        return usage(format!("--seeds must be 1 to {MAX_SEEDS}, not {seeds}"));
    }
    let mut sizes = sizes.to_vec();
    sizes.sort_unstable();
    Ok((1..=seeds).flat_map(|seed| sizes.iter().map(move |&train_size| Cell { train_size, seed })).collect())
}

/// Part `part` of `of` equal parts of the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Share {
    /// Counted from 1.
    part: u32,
    of: u32,
}

impl Share {
    /// Part `part` of `of`.
    ///
    /// # Errors
    /// When there is no such part.
    pub fn new(part: u32, of: u32) -> Result<Self, String> {
        if part == 0 || part > of {
            return Err(format!("of {of} shares there is no number {part}: they count from 1 to {of}"));
        }
        Ok(Self { part, of })
    }

    /// The place of this process in an array job of AWS Batch or Slurm, as its environment has it.
    pub fn of_array_job(variable: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let number = |name: &str| {
            let text = variable(name);
            text.map(|text| text.parse::<u32>().map_err(|_| format!("{name} is {text:?}, not a number"))).transpose()
        };
        let required = |name: &str| number(name)?.ok_or_else(|| format!("{name} is not set"));
        if let Some(index) = number("AWS_BATCH_JOB_ARRAY_INDEX")? {
            return Self::new(index.saturating_add(1), required("AWS_BATCH_JOB_ARRAY_SIZE")?);
        }
        if let Some(id) = number("SLURM_ARRAY_TASK_ID")? {
            let step = number("SLURM_ARRAY_TASK_STEP")?.unwrap_or(1).max(1);
            let place = id.saturating_sub(required("SLURM_ARRAY_TASK_MIN")?) / step;
            return Self::new(place.saturating_add(1), required("SLURM_ARRAY_TASK_COUNT")?);
        }
        Err("this is no array job: neither AWS_BATCH_JOB_ARRAY_INDEX nor SLURM_ARRAY_TASK_ID is set".into())
    }

    /// The cells of this share. They are dealt out, the largest first, each to the share that has least to train on so far:
    /// a share is the same whichever cells are there already.
    pub fn deal(self, cells: &[Cell]) -> Vec<Cell> {
        let mut largest_first: Vec<usize> = (0..cells.len()).collect();
        largest_first.sort_by_key(|&index| std::cmp::Reverse(cells[index].train_size));
        // More shares than cells leave the last ones without any.
        let mut images = vec![0_u64; cells.len().min(self.of as usize)];
        let mut mine = Vec::new();
        for index in largest_first {
            let least = (0..images.len()).min_by_key(|&share| images[share]).expect("a cell, so a share");
            images[least] += u64::from(cells[index].train_size);
            if least + 1 == self.part as usize {
                mine.push(index);
            }
        }
        mine.sort_unstable();
        mine.into_iter().map(|index| cells[index]).collect()
    }
}

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "array" {
            return Self::of_array_job(|name| std::env::var(name).ok());
        }
        let numbers = text.split_once('/').and_then(|(part, of)| Some((part.parse().ok()?, of.parse().ok()?)));
        let (part, of) = numbers.ok_or("expected K/N, as 2/9, or the word array")?;
        Self::new(part, of)
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}/{}", self.part, self.of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_sizes_are_shares_of_the_data() {
        assert_eq!(default_sizes(60_000), [1_200, 12_000, 60_000]);
        assert_eq!(default_sizes(64), [1, 12, 64]);
        assert_eq!(default_sizes(1), [1]);
    }

    #[test]
    fn cells_come_seed_after_seed() {
        let all = cells(&[40, 10], 2, 50).expect("in range");
        let pairs: Vec<_> = all.iter().map(|cell| (cell.train_size, cell.seed)).collect();
        assert_eq!(pairs, [(10, 1), (40, 1), (10, 2), (40, 2)]);
        for (sizes, seeds, word) in
            [(&[0][..], 1, "not 0"), (&[51], 1, "51"), (&[9, 9], 1, "twice"), (&[9], 0, "--seeds")]
        {
            let error = cells(sizes, seeds, 50).expect_err("out of range").to_string();
            assert!(error.contains(word), "{error}");
        }
    }

    #[test]
    fn shares_are_all_cells_and_of_a_size() {
        let all = cells(&[1_200, 12_000, 60_000], 3, 60_000).expect("in range");
        for of in 1..12 {
            let shares: Vec<_> = (1..=of).map(|part| Share::new(part, of).expect("a share").deal(&all)).collect();
            let mut together = shares.concat();
            together.sort_unstable();
            let mut expected = all.clone();
            expected.sort_unstable();
            assert_eq!(together, expected, "{of} shares");
        }
        // Three shares of three seeds: each has a cell of every size.
        for part in 1..=3 {
            let share = Share::new(part, 3).expect("a share").deal(&all);
            assert_eq!(share.iter().map(|cell| cell.train_size).collect::<Vec<_>>(), [1_200, 12_000, 60_000]);
        }
        assert!(Share::new(10, 10).expect("a share").deal(&all).is_empty());
        assert!(Share::new(1, u32::MAX).expect("a share").deal(&[]).is_empty());
    }

    #[test]
    fn a_share_is_written_as_it_is_read() {
        assert_eq!("2/9".parse(), Ok(Share { part: 2, of: 9 }));
        assert_eq!(Share { part: 2, of: 9 }.to_string(), "2/9");
        for text in ["", "2", "0/3", "4/3", "0/0", "a/3", "1/-3", "1/3/5", "1.5/3"] {
            assert!(text.parse::<Share>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn array_jobs_say_which_share_is_theirs() {
        let share = |variables: &[(&str, &str)]| {
            Share::of_array_job(|name| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).into()))
        };
        let aws = [("AWS_BATCH_JOB_ARRAY_INDEX", "0"), ("AWS_BATCH_JOB_ARRAY_SIZE", "9")];
        assert_eq!(share(&aws), Ok(Share { part: 1, of: 9 }));
        let slurm = |id, min, count, step| {
            share(&[
                ("SLURM_ARRAY_TASK_ID", id),
                ("SLURM_ARRAY_TASK_MIN", min),
                ("SLURM_ARRAY_TASK_COUNT", count),
                ("SLURM_ARRAY_TASK_STEP", step),
            ])
        };
        assert_eq!(slurm("9", "1", "9", "1"), Ok(Share { part: 9, of: 9 }));
        assert_eq!(slurm("4", "0", "5", "2"), Ok(Share { part: 3, of: 5 }));
        // A list of places, of which the environment says too little.
        assert!(slurm("7", "1", "3", "1").is_err());
        assert!(share(&[]).expect_err("no array").contains("no array job"));
        assert!(share(&aws[..1]).expect_err("no size").contains("AWS_BATCH_JOB_ARRAY_SIZE is not set"));
        assert!(share(&[("AWS_BATCH_JOB_ARRAY_INDEX", "x")]).expect_err("no number").contains("\"x\""));
    }
}
