//! One way of timing: warm up, find how often to repeat, take several samples, keep median and spread.

use crate::Result;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Several measurements of one thing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// The middle one.
    pub median: f64,
    /// The first quartile.
    pub low: f64,
    /// The third quartile.
    pub high: f64,
    /// How many there are.
    pub samples: u32,
}

impl Figure {
    /// Of values in any order.
    ///
    /// # Panics
    /// When there are none.
    pub fn of(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let quantile = |share: f64| {
            let place = share * (sorted.len() - 1) as f64;
            let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
            below + (above - below) * place.fract()
        };
        Self { median: quantile(0.5), low: quantile(0.25), high: quantile(0.75), samples: sorted.len() as u32 }
    }

    /// How much of something is done in a second, if this is the seconds that `amount` takes.
    #[must_use]
    pub fn rate(&self, amount: f64) -> Self {
        Self { median: amount / self.median, low: amount / self.high, high: amount / self.low, samples: self.samples }
    }
}

/// How long measurements may take.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Samples of each figure.
    pub samples: u32,
    /// How long a sample takes at least: what is shorter is repeated.
    pub sample: Duration,
}

impl Effort {
    /// For figures that are to be quoted.
    pub const FULL: Self = Self { samples: 9, sample: Duration::from_millis(60) };
    /// For a first look.
    pub const QUICK: Self = Self { samples: 3, sample: Duration::from_millis(15) };

    /// The seconds that one run takes; `run` runs so many times in a row and says how long that took.
    pub fn seconds(self, mut run: impl FnMut(u32) -> Result<Duration>) -> Result<Figure> {
        let times = self.repeats(&mut run)?;
        self.figure(|| once(times, &mut run))
    }

    /// How many times as long one run takes as a run of another thing, both sampled in turn: then what slows the machine
    /// down for a while slows both.
    pub fn ratio(
        self,
        mut run: impl FnMut(u32) -> Result<Duration>,
        mut other: impl FnMut(u32) -> Result<Duration>,
    ) -> Result<Figure> {
        let (times, others) = (self.repeats(&mut run)?, self.repeats(&mut other)?);
        self.figure(|| Ok(once(times, &mut run)? / once(others, &mut other)?))
    }

    /// Warms up, and finds how many runs make a sample.
    fn repeats(self, run: &mut impl FnMut(u32) -> Result<Duration>) -> Result<u32> {
        run(1)?;
        let mut times = 1;
        loop {
            let taken = run(times)?;
            if taken * 4 >= self.sample {
                let more = self.sample.as_secs_f64() / taken.as_secs_f64();
                return Ok((f64::from(times) * more).ceil().max(1.0) as u32);
            }
            times *= 2;
        }
    }

    fn figure(self, mut sample: impl FnMut() -> Result<f64>) -> Result<Figure> {
        let samples = (0..self.samples).map(|_| sample());
        Ok(Figure::of(&samples.collect::<Result<Vec<_>>>()?))
    }
}

/// The seconds of one run among so many in a row.
fn once(times: u32, run: &mut impl FnMut(u32) -> Result<Duration>) -> Result<f64> {
    Ok(run(times)?.as_secs_f64() / f64::from(times))
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    #[test]
    fn a_figure_is_median_and_quartiles() {
        let figure = Figure::of(&[5.0, 1.0, 2.0, 4.0, 3.0]);
        assert_eq!(figure, Figure { median: 3.0, low: 2.0, high: 4.0, samples: 5 });
        assert_relative_eq!(Figure::of(&[1.0, 2.0]).median, 1.5);
        let rate = figure.rate(12.0);
        assert_eq!((rate.median, rate.low, rate.high), (4.0, 3.0, 6.0));
    }

    #[test]
    fn what_is_short_is_repeated_after_a_warm_up() {
        let mut runs = Vec::new();
        let effort = Effort { samples: 3, sample: Duration::from_millis(10) };
        let figure = effort.seconds(|times| {
            runs.push(times);
            // The first run is slow: something is compiled.
            Ok(Duration::from_millis(if runs.len() == 1 { 500 } else { 0 }) + Duration::from_micros(100) * times)
        });
        assert_relative_eq!(figure.expect("nothing fails").median, 1e-4, max_relative = 1e-9);
        assert_eq!(runs[..2], [1, 1]);
        assert_eq!(runs[runs.len() - 3..], [100; 3]);
    }

    #[test]
    fn a_ratio_is_of_samples_in_turn() {
        let minute = std::cell::Cell::new(0);
        // The machine takes longer with every sample: by itself, each thing's last sample is far from its first.
        let run = |microseconds| {
            let minute = &minute;
            move |times| {
                minute.set(minute.get() + 1);
                Ok(Duration::from_micros(microseconds) * times * minute.get())
            }
        };
        let effort = Effort { samples: 5, sample: Duration::from_micros(1) };
        let figure = effort.ratio(run(200), run(100)).expect("nothing fails");
        assert!((1.7..2.0).contains(&figure.low) && figure.high < 2.0, "{figure:?}");
    }
}
