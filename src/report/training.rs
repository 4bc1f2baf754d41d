//! The plot of a training run: loss of each step and epoch, and accuracy of each epoch.

use super::Figure;
use super::curves::{Curve, Look, accuracies, losses};
use super::numbers::count;
use super::style::{color, legend, px, stroke};
use crate::Result;
use crate::run::Run;
use crate::statistics::moving_mean;
use crate::trainer::EpochRow;

/// How many steps on each side the mean of a step's loss goes over: together about a fiftieth of the run.
pub fn reach(steps: usize) -> usize {
    steps / 100
}

/// The loss of each step and its moving mean, over the epochs.
pub fn step_curves(run: &Run, color: usize) -> [Curve; 2] {
    let steps = &run.step_losses;
    let every = f64::from(run.steps_per_epoch());
    let points =
        |values: Vec<f64>| values.into_iter().zip(1..).map(|(loss, step)| [f64::from(step) / every, loss]).collect();
    let raw = steps.iter().map(|&loss| f64::from(loss)).collect();
    [
        Curve { points: points(raw), color, look: Look::Pale },
        Curve { points: points(moving_mean(steps, reach(steps.len()))), color, look: Look::Line },
    ]
}

/// A figure of each epoch; what was measured during an epoch stands at its middle.
pub fn epoch_curve(run: &Run, color: usize, during: bool, figure: impl Fn(&EpochRow) -> Option<f64>) -> Curve {
    let place = |row: &EpochRow| f64::from(row.epoch) - if during && row.epoch > 0 { 0.5 } else { 0.0 };
    let points = run.epochs.iter().filter_map(|row| Some([place(row), figure(row)?])).collect();
    Curve { points, color, look: Look::Points }
}

/// The last epoch that there is anything of.
pub fn last_epoch(run: &Run) -> f64 {
    let rows = run.epochs.iter().map(|row| f64::from(row.epoch)).fold(0.0, f64::max);
    rows.max(run.step_losses.len() as f64 / f64::from(run.steps_per_epoch())).max(0.1)
}

/// Draws the plot.
pub fn figure(run: &Run) -> Result<Figure> {
    let epochs = 0.0..last_epoch(run);
    let held_out = run.data.validation_images > 0;
    let rows = run.epochs.last().map_or(0, |row| row.epoch);
    // Of an epoch that did not come to its end, the curves show a part.
    let over =
        if f64::from(rows) < epochs.end { String::new() } else { format!(" over {}", count(rows.into(), "epoch")) };
    let title = format!("Loss and accuracy of {}{over}", run.config.model.name);
    Figure::draw([900, 400], &title, |area| {
        let (left, right) = area.split_horizontally(px(460.0));
        let mut curves: Vec<Curve> = step_curves(run, 0).into();
        curves.push(epoch_curve(run, 1, false, |row| Some(row.test_loss)));
        curves.push(epoch_curve(run, 2, false, |row| row.validation_loss));
        losses(&left, "Loss (nats)", epochs.clone(), &curves)?;
        let mean = match 2 * reach(run.step_losses.len()) + 1 {
            1 => "training, each step".to_owned(),
            steps => format!("training, mean of {steps} steps"),
        };
        let mut entries = vec![(stroke(color(0), 2.0), mean.as_str()), (stroke(color(1), 2.0), "test")];
        if held_out {
            entries.push((stroke(color(2), 2.0), "held out"));
        }
        legend(&left, &entries)?;
        let curves = [
            epoch_curve(run, 0, true, |row| Some(row.train_accuracy)),
            epoch_curve(run, 1, false, |row| Some(row.test_accuracy)),
            epoch_curve(run, 2, false, |row| row.validation_accuracy),
        ];
        let most = run.data.train_images.max(run.data.test_images);
        accuracies(&right, "Accuracy (mistakes on a logarithmic axis)", epochs, &curves, most)?;
        entries[0].1 = "training, during an epoch";
        legend(&right, &entries)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::tests::run;
    use proptest::prelude::*;

    #[test]
    fn steps_stand_at_their_part_of_an_epoch() {
        let mut run = run("mlp", &[[2.3, 0.1], [1.0, 0.7], [0.5, 0.8]]);
        // 640 images in batches of 256 are three steps.
        (run.data.train_images, run.config.batch_size) = (640, 256);
        run.step_losses = vec![2.0, 1.5, 1.0, 0.9, 0.8, 0.7];
        let [raw, mean] = step_curves(&run, 0);
        let text = |curve: &Curve| format!("{:.2?}", curve.points);
        assert!(text(&raw).starts_with("[[0.33, 2.00], [0.67, 1.50], [1.00, 1.00], [1.33, 0.90]"), "{}", text(&raw));
        assert_eq!(text(&mean), text(&raw), "so few steps are not smoothed");
        let during = epoch_curve(&run, 0, true, |row| Some(row.test_loss));
        assert_eq!(text(&during), "[[0.00, 2.30], [0.50, 1.00], [1.50, 0.50]]");
        assert!((last_epoch(&run) - 2.0).abs() < 1e-12);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn whatever_a_record_says_can_be_drawn(
            rows in prop::collection::vec([any::<f64>(), any::<f64>()], 0..5),
            losses in prop::collection::vec(any::<f32>(), 0..300),
            images in any::<u32>(),
            batch in any::<u32>(),
        ) {
            let mut run = run("mlp", &rows);
            (run.data.train_images, run.config.batch_size, run.step_losses) = (images, batch, losses);
            let figure = figure(&run).expect("drawn");
            prop_assert!(figure.svg().expect("rendered").ends_with("</svg>\n"));
        }
    }
}
