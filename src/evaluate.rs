//! Loss and accuracy over a set, and what lies behind them class by class.

use crate::Result;
use crate::device::Session;
use crate::pace::Pace;
use crate::program::{List, State};
use serde::Serialize;
use std::ops::Range;
use std::time::Instant;

/// Steps that a device gets in one go, at most.
const STEPS_AT_ONCE: u32 = 64;

/// Mean loss and share of correct answers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// Mean negative log-likelihood in nats.
    pub loss: f64,
    /// Share of images whose most probable class is their label.
    pub accuracy: f64,
}

/// Evaluates a range of the session's images on the device; only sums come back.
pub fn score(session: &mut dyn Session, images: &Range<u32>) -> Result<Score> {
    let count = images.end - images.start;
    let eval = session.program().ports.eval;
    session.put(eval.state, &[State::at(0, 0, images.start, count)])?;
    let steps = count.div_ceil(eval.batch);
    let mut pace = Pace::up_to(STEPS_AT_ONCE);
    let mut done = 0;
    while done < steps {
        let clock = Instant::now();
        let times = pace.steps().min(steps - done);
        session.run(List::EvalStep, times)?;
        session.wait()?;
        pace.took(clock.elapsed());
        done += times;
    }
    let metrics: Vec<[f32; 2]> = session.get(eval.metrics)?;
    let sum = |column: usize| metrics[..steps as usize].iter().map(|row| f64::from(row[column])).sum::<f64>();
    Ok(Score { loss: sum(0) / f64::from(count), accuracy: sum(1) / f64::from(count) })
}

/// How well one class is recognised.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassScore {
    /// The class.
    pub class: String,
    /// Images of it.
    pub images: u32,
    /// Of the images given this class, the share that are of it; null where none was.
    pub precision: Option<f64>,
    /// Of the images of this class, the share given it; null where there is none.
    pub recall: Option<f64>,
    /// The harmonic mean of both; null where either is.
    pub f1: Option<f64>,
}

/// How good a model is on a set of images.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Evaluation {
    /// Mean negative log-likelihood in nats.
    pub loss: f64,
    /// Share of images whose most probable class is their label.
    pub accuracy: f64,
    /// Images evaluated.
    pub images: u32,
    /// Each class by itself.
    pub per_class: Vec<ClassScore>,
    /// For each class (row) how many of its images were given each class (column).
    pub confusion: Vec<Vec<u32>>,
}

/// What a model says to one image whose class is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Answer {
    /// The image's class.
    pub label: u8,
    /// The most probable class.
    pub class: u8,
    /// The probability that the model gives it.
    pub confidence: f32,
    /// The image's negative log-likelihood in nats.
    pub loss: f32,
}

impl Answer {
    /// Of the log-probability of each class, for an image of this one.
    pub fn new(log_probabilities: &[f32], label: u8) -> Self {
        let class = most_probable(log_probabilities);
        let confidence = log_probabilities[class].exp();
        Self { label, class: class as u8, confidence, loss: -log_probabilities[usize::from(label)] }
    }
}

/// The log-probability of each class for a range of the session's images, image after image.
pub fn log_probabilities(session: &mut dyn Session, images: &Range<u32>) -> Result<Vec<f32>> {
    let program = std::sync::Arc::clone(session.program());
    let eval = program.ports.eval;
    let count = images.end - images.start;
    session.put(eval.state, &[State::at(0, 0, images.start, count)])?;
    let mut rows: Vec<f32> = Vec::new();
    for _ in 0..count.div_ceil(eval.batch) {
        session.run(List::EvalStep, 1)?;
        rows.extend(session.get::<f32>(program.ports.log_probabilities)?);
    }
    // Behind the last image of a part of a batch there is nothing of use.
    rows.truncate(count as usize * program.tensor(program.ports.log_probabilities).row_len());
    Ok(rows)
}

/// What the model says to a range of the session's images, whose classes are these.
pub fn answers(session: &mut dyn Session, images: &Range<u32>, labels: &[u8]) -> Result<Vec<Answer>> {
    let rows = log_probabilities(session, images)?;
    let rows = rows.chunks_exact(rows.len() / labels.len());
    Ok(rows.zip(labels).map(|(row, &label)| Answer::new(row, label)).collect())
}

impl Evaluation {
    /// Of what a model says to images.
    pub fn new(answers: &[Answer], classes: &[String]) -> Self {
        let mut confusion = vec![vec![0; classes.len()]; classes.len()];
        let (mut loss, mut correct) = (0.0, 0_u32);
        for answer in answers {
            loss += f64::from(answer.loss);
            correct += u32::from(answer.class == answer.label);
            confusion[usize::from(answer.label)][usize::from(answer.class)] += 1;
        }
        let images = answers.len() as u32;
        let (loss, accuracy) = (loss / f64::from(images), f64::from(correct) / f64::from(images));
        Self { loss, accuracy, images, per_class: class_scores(&confusion, classes), confusion }
    }
}

/// The first class of the largest value.
pub fn most_probable(row: &[f32]) -> usize {
    let mut best = 0;
    for (class, value) in row.iter().enumerate() {
        if *value > row[best] {
            best = class;
        }
    }
    best
}

fn class_scores(confusion: &[Vec<u32>], classes: &[String]) -> Vec<ClassScore> {
    let score = |(class, name): (usize, &String)| {
        let correct = f64::from(confusion[class][class]);
        let images: u32 = confusion[class].iter().sum();
        let given: u32 = confusion.iter().map(|row| row[class]).sum();
        let precision = (given > 0).then(|| correct / f64::from(given));
        let recall = (images > 0).then(|| correct / f64::from(images));
        let f1 = precision.zip(recall).map(|(p, r)| if p + r > 0.0 { 2.0 * p * r / (p + r) } else { 0.0 });
        ClassScore { class: name.clone(), images, precision, recall, f1 }
    };
    classes.iter().enumerate().map(score).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    #[test]
    fn class_scores_follow_from_the_confusion() {
        let classes: Vec<String> = ["cat", "dog", "fox"].map(Into::into).into();
        let scores = class_scores(&[vec![8, 2, 0], vec![1, 9, 0], vec![0, 0, 0]], &classes);
        assert_relative_eq!(scores[0].precision.expect("given"), 8.0 / 9.0);
        assert_relative_eq!(scores[0].recall.expect("there"), 0.8);
        assert_relative_eq!(scores[1].f1.expect("both"), 2.0 * (9.0 / 11.0) * 0.9 / (9.0 / 11.0 + 0.9));
        assert_eq!((scores[2].images, scores[2].precision, scores[2].recall, scores[2].f1), (0, None, None, None));
    }

    #[test]
    fn the_first_of_equals_is_the_answer() {
        assert_eq!(most_probable(&[1.0, 3.0, 3.0]), 1);
    }
}
