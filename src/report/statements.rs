//! What the figures of a run say, in sentences that are computed from them.

use super::numbers::{count, percent, significant, thousands};
use super::reliability::{bins, calibration_error};
use super::results::{Results, Subject};
use crate::evaluate::Score;
use crate::run::{Run, Status};
use crate::statistics::{Spread, wilson};

/// What was trained and how good it is, in a sentence.
pub fn headline(subject: &Subject) -> String {
    let (run, test) = (subject.run, &subject.results.test);
    let epochs = run.epochs.last().map_or(0, |row| row.epoch);
    format!(
        "The model {} ({}), trained for {} on {} of {} on {}, gives {} of {} their right class; its test loss is {} nats.",
        run.config.model.name,
        count(run.parameters, "parameter"),
        count(epochs.into(), "epoch"),
        count(run.data.train_images.into(), "image"),
        run.data.name,
        run.device,
        percent(test.accuracy, 2),
        count(test.images.into(), "test image"),
        significant(test.loss, 3)
    )
}

/// Where a run stands that did not reach its end; nothing of one that did.
pub fn unfinished(run: &Run) -> Option<String> {
    let steps = run.step_losses.len() as u64;
    let all = u64::from(run.steps_per_epoch()) * u64::from(run.config.epochs);
    let done = format!("{} of {}", thousands(steps), count(all, "step"));
    match run.status {
        Status::Complete => None,
        Status::Interrupted => Some(format!(
            "This run was interrupted after {done}; what follows is what its weights of that moment are worth."
        )),
        Status::Diverged => Some(format!(
            "This run diverged after {done}: its loss stopped being a finite number. What follows is what the weights \
             are worth that it saved last."
        )),
        Status::Running => Some(
            "This run has not ended: it goes on still, or was killed. What follows is what the weights are worth that it \
             saved last."
                .into(),
        ),
    }
}

/// How the figures went from epoch to epoch.
pub fn course(run: &Run) -> Vec<String> {
    let mut sentences = Vec::new();
    if let [.., before, last] = &run.epochs[..] {
        let best = run.epochs.iter().min_by(|a, b| a.test_loss.total_cmp(&b.test_loss)).unwrap_or(last);
        let change = |from: f64, to: f64| percent((to - from).abs() / from.abs().max(f64::MIN_POSITIVE), 1);
        sentences.push(if best.epoch == last.epoch {
            let fall = change(before.test_loss, last.test_loss);
            format!("The test loss was lowest after the last epoch, which lowered it by {fall}.")
        } else {
            format!(
                "The test loss was lowest after epoch {} ({}); until the end it rose by {}.",
                best.epoch,
                significant(best.test_loss, 3),
                change(best.test_loss, last.test_loss)
            )
        });
    }
    if run.epochs.last().is_some_and(|last| last.epoch < run.config.epochs) && run.status == Status::Complete {
        sentences.push(format!(
            "Of {} planned, it needed {} to reach its target accuracy on the images held out.",
            count(run.config.epochs.into(), "epoch"),
            run.epochs.last().map_or(0, |last| last.epoch)
        ));
    }
    let seconds: f64 = run.epochs.iter().filter_map(|row| row.seconds).sum();
    let images: f64 = run
        .epochs
        .iter()
        .filter_map(|row| row.images_per_second.zip(row.seconds))
        .map(|(rate, time)| rate * time)
        .sum();
    if seconds > 0.0 {
        sentences.push(format!(
            "Training took {} s without the evaluations, {} images/s in the mean.",
            significant(seconds, 3),
            thousands((images / seconds).round() as u64)
        ));
    }
    sentences
}

/// What the final figures mean.
pub fn meaning(results: &Results, classes: &[String]) -> Vec<String> {
    let test = &results.test;
    let images = u64::from(test.images);
    let mistakes = results.mistakes();
    let interval = wilson(images - mistakes.len() as u64, images);
    let mut sentences = vec![format!(
        "{} of {} answers are wrong. As a sample of all images of their kind, they say with 95 % confidence that the accuracy lies \
         between {} and {}.",
        thousands(mistakes.len() as u64),
        thousands(images),
        percent(interval.start, 2),
        percent(interval.end, 2)
    )];
    sentences.extend(guessing(results, interval.start));
    sentences.push(generalisation(results));
    let hardest =
        test.per_class.iter().filter_map(|score| Some((score.recall?, score))).min_by(|a, b| a.0.total_cmp(&b.0));
    if let Some((recall, score)) = hardest.filter(|(recall, _)| *recall < 1.0) {
        sentences.push(format!(
            "The hardest class is {}: {} of its {} are recognised.",
            plain(&score.class),
            percent(recall, 1),
            count(score.images.into(), "image")
        ));
    }
    if let Some((times, label, answer)) = confusions(&test.confusion).first() {
        let back = test.confusion[*answer][*label];
        sentences.push(format!(
            "The most frequent mistake is to take {} for {} ({}; the other way round {}).",
            plain(&classes[*label]),
            plain(&classes[*answer]),
            count(u64::from(*times), "time"),
            thousands(back.into())
        ));
    }
    let of_mistakes: f64 = mistakes.iter().map(|(_, answer)| f64::from(answer.loss)).sum();
    let all: f64 = results.answers.iter().map(|answer| f64::from(answer.loss)).sum();
    if !mistakes.is_empty() && all.is_finite() && all > 0.0 {
        sentences.push(format!(
            "The wrong answers, {} of all, carry {} of the test loss.",
            percent(mistakes.len() as f64 / images as f64, 2),
            percent(of_mistakes / all, 0)
        ));
    }
    sentences
}

/// What is said of a model that is no better than who does not look at the images.
fn guessing(results: &Results, least: f64) -> Option<String> {
    let test = &results.test;
    let frequent = test.per_class.iter().max_by_key(|score| score.images)?;
    let share = f64::from(frequent.images) / f64::from(test.images.max(1));
    (least <= share).then(|| {
        format!(
            "That is not clearly better than to answer {} always, which is right for {} of the images.",
            plain(&frequent.class),
            percent(share, 2)
        )
    })
}

/// Whether the images trained on are known better than others.
fn generalisation(results: &Results) -> String {
    let (train, test) = (results.train, &results.test);
    let losses: Vec<f64> = results.answers.iter().map(|answer| f64::from(answer.loss)).collect();
    let error = Spread::of(&losses).variance_of_mean().unwrap_or(f64::INFINITY).sqrt();
    let (gap, Score { loss, accuracy }) = (test.loss - train.loss, train);
    let figures = format!(
        "With the final weights the training loss is {} and the training accuracy {}",
        significant(loss, 3),
        percent(accuracy, 2)
    );
    let likely = format!("±{}, twice its standard error", significant(2.0 * error, 2));
    if !gap.is_finite() {
        format!("{figures}; the test loss is infinite, since a right class was given no probability at all.")
    } else if gap > 2.0 * error {
        format!(
            "{figures}: the test loss is {} higher, beyond what chance explains ({likely}). The model knows the images that it \
             was trained on better than others.",
            significant(gap, 2)
        )
    } else if gap < -2.0 * error {
        format!(
            "{figures}: the test loss is {} lower, beyond what chance explains ({likely}). The test images are easier for it.",
            significant(-gap, 2)
        )
    } else {
        format!(
            "{figures}: the test loss differs from it by {}, which chance explains ({likely}). Nothing shows that the model \
             knows the images that it was trained on better than others.",
            significant(gap.abs(), 2)
        )
    }
}

/// Whether the model's probabilities can be believed.
pub fn calibration(results: &Results) -> String {
    let bins = bins(&results.answers);
    let images = results.answers.len().max(1) as f64;
    let claimed = bins.iter().map(|bin| bin.confidence).sum::<f64>() / images;
    let accuracy = results.test.accuracy;
    let correct = bins.iter().map(|bin| u64::from(bin.correct)).sum();
    let likely = wilson(correct, results.answers.len() as u64);
    let verdict = if claimed > likely.end {
        "it is too sure of itself"
    } else if claimed < likely.start {
        "it could be surer of itself"
    } else {
        "the same, as far as so many images can tell"
    };
    format!(
        "On average the model gives its answer a probability of {}, and {} of its answers are right: {verdict}. The expected calibration \
         error over {} bins of equal width is {}.",
        percent(claimed, 2),
        percent(accuracy, 2),
        bins.len(),
        percent(calibration_error(&bins), 2)
    )
}

/// How often which class was taken for which other one, the most frequent first.
pub fn confusions(confusion: &[Vec<u32>]) -> Vec<(u32, usize, usize)> {
    let rows = confusion.iter().enumerate();
    let cells =
        rows.flat_map(|(label, row)| row.iter().enumerate().map(move |(answer, &times)| (times, label, answer)));
    let mut wrong: Vec<_> = cells.filter(|&(times, label, answer)| label != answer && times > 0).collect();
    wrong.sort_by_key(|&(times, label, answer)| (std::cmp::Reverse(times), label, answer));
    wrong
}

/// "a", "a and b", "a, b and c".
pub fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

/// Text from outside that Markdown must not read as its own.
pub fn plain(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        if "\\`*_[]<>|#&~".contains(character) {
            escaped.push('\\');
        }
        escaped.push(if character.is_control() { ' ' } else { character });
    }
    escaped
}
