//! Learning rates and Adam's bias corrections by step, computed in f64 for the device to look up.

use crate::program::ScheduleRow;
use serde::{Deserialize, Serialize};

/// How the learning rate changes over a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// The same rate throughout.
    Constant,
    /// Divided by ten after every third of the epochs.
    Step,
    /// From the rate down to zero along half a cosine (Loshchilov and Hutter, "SGDR", 2017).
    Cosine,
    /// Up from rate / 25 over the first 30 % of the steps, then down to rate / 250,000, both along half a cosine
    /// (Smith and Topin, "Super-convergence", 2018; constants of PyTorch's `OneCycleLR`).
    OneCycle,
}

impl Schedule {
    /// Its name, as options and files have it.
    pub fn name(self) -> String {
        serde_json::to_value(self).expect("plain data").as_str().unwrap_or_default().into()
    }
}

/// Everything that the learning rate of a step depends on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Course {
    /// How the rate changes.
    pub schedule: Schedule,
    /// The highest rate.
    pub learning_rate: f64,
    /// Epochs of the run.
    pub epochs: u32,
    /// Steps of one epoch.
    pub steps_per_epoch: u32,
    /// Adam's β₁ and β₂; anything for SGD.
    pub betas: [f64; 2],
}

impl Course {
    /// The learning rate of a step, counted from 0 over the whole run.
    pub fn learning_rate(&self, step: u32) -> f64 {
        let total = f64::from(self.epochs) * f64::from(self.steps_per_epoch);
        let rate = self.learning_rate;
        let step_number = f64::from(step);
        match self.schedule {
            Schedule::Constant => rate,
            Schedule::Step => {
                let epoch = f64::from(step / self.steps_per_epoch);
                rate * 0.1_f64.powi((3.0 * epoch / f64::from(self.epochs)) as i32)
            }
            Schedule::Cosine => anneal(rate, 0.0, step_number / total),
            Schedule::OneCycle => {
                let peak = 0.3 * total - 1.0;
                if step_number <= peak {
                    anneal(rate / 25.0, rate, step_number / peak)
                } else {
                    let rest = total - 1.0 - peak;
                    anneal(rate, rate / 250_000.0, if rest > 0.0 { (step_number - peak) / rest } else { 0.0 })
                }
            }
        }
    }

    /// The rows of one epoch, counted from 0.
    pub fn rows(&self, epoch: u32) -> Vec<ScheduleRow> {
        let first = epoch * self.steps_per_epoch;
        (first..first + self.steps_per_epoch)
            .map(|step| {
                let [remaining1, remaining2] = self.betas.map(|beta| 1.0 - beta.powf(f64::from(step) + 1.0));
                ScheduleRow {
                    learning_rate: self.learning_rate(step) as f32,
                    first_correction: (1.0 / remaining1) as f32,
                    second_correction: (1.0 / remaining2.sqrt()) as f32,
                    padding: 0.0,
                }
            })
            .collect()
    }
}

/// Half a cosine from `from` (at 0) to `to` (at 1).
fn anneal(from: f64, to: f64, part: f64) -> f64 {
    to + (from - to) * (1.0 + (std::f64::consts::PI * part).cos()) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    fn course(schedule: Schedule) -> Course {
        Course { schedule, learning_rate: 0.3, epochs: 5, steps_per_epoch: 20, betas: [0.9, 0.999] }
    }

    #[test]
    fn one_cycle_goes_up_and_down() {
        let course = course(Schedule::OneCycle);
        assert_relative_eq!(course.learning_rate(0), 0.012, epsilon = 1e-12);
        assert_relative_eq!(course.learning_rate(29), 0.3, epsilon = 1e-12);
        assert_relative_eq!(course.learning_rate(99), 0.3 / 250_000.0, epsilon = 1e-12);
        // PyTorch 2: OneCycleLR(optimizer, 0.3, total_steps=100) after 10 and 60 steps.
        assert_relative_eq!(course.learning_rate(10), 0.088_549_184_5, epsilon = 1e-8);
        assert_relative_eq!(course.learning_rate(60), 0.176_784_027_1, epsilon = 1e-8);
    }

    #[test]
    fn the_other_schedules_are_what_they_say() {
        assert_relative_eq!(course(Schedule::Constant).learning_rate(77), 0.3);
        assert_relative_eq!(course(Schedule::Cosine).learning_rate(50), 0.15, epsilon = 1e-12);
        let steps = course(Schedule::Step);
        let rates: Vec<f64> = (0..5).map(|epoch| steps.learning_rate(epoch * 20)).collect();
        for (rate, expected) in rates.iter().zip([0.3, 0.3, 0.03, 0.03, 0.003]) {
            assert_relative_eq!(*rate, expected, epsilon = 1e-12);
        }
    }

    #[test]
    fn corrections_are_those_of_the_first_step_and_vanish() {
        let course = Course { epochs: 1_000, ..course(Schedule::Constant) };
        let first = course.rows(0)[0];
        assert_relative_eq!(first.first_correction, 10.0, epsilon = 1e-5);
        assert_relative_eq!(first.second_correction, 1.0 / 0.001_f32.sqrt(), epsilon = 1e-3);
        let last = course.rows(999)[19];
        assert_relative_eq!(last.first_correction, 1.0);
        assert_relative_eq!(last.second_correction, 1.0, epsilon = 1e-6);
    }

    #[test]
    fn a_run_of_one_step_has_a_finite_rate() {
        for schedule in [Schedule::Constant, Schedule::Step, Schedule::Cosine, Schedule::OneCycle] {
            let course = Course { epochs: 1, steps_per_epoch: 1, ..course(schedule) };
            let rate = course.learning_rate(0);
            assert!(rate > 0.0 && rate <= 0.3, "{schedule:?} {rate}");
        }
    }
}
