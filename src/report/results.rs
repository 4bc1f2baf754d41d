//! What a model is worth once it is trained.

use crate::Result;
use crate::data::Dataset;
use crate::device::DeviceInfo;
use crate::evaluate::{Answer, Evaluation, Score, answers, score};
use crate::run::Run;
use crate::trainer::Trainer;

/// Everything that the report of a run is made from.
pub struct Subject<'a> {
    /// What the run is called: the name of its folder.
    pub name: &'a str,
    /// Its record.
    pub run: &'a Run,
    /// Its data.
    pub data: &'a Dataset,
    /// What its weights are worth.
    pub results: &'a Results,
    /// The device that said so.
    pub evaluated_on: &'a DeviceInfo,
    /// SHA-256 of the file of its weights, in hexadecimal.
    pub weights: &'a str,
}

/// How good the weights of a run are on each of its sets.
pub struct Results {
    /// On the images trained on.
    pub train: Score,
    /// On the images held out, where there are any.
    pub validation: Option<Score>,
    /// On the test images.
    pub test: Evaluation,
    /// What the model says to each test image.
    pub answers: Vec<Answer>,
}

impl Results {
    /// Evaluates the weights that a trainer has; with the labels and the classes of the test images.
    pub fn new(trainer: &mut Trainer, labels: &[u8], classes: &[String]) -> Result<Self> {
        let (session, [train, validation, test]) = trainer.parts();
        let held_out = !validation.is_empty();
        let answers = answers(session, &test, labels)?;
        Ok(Self {
            train: score(session, &train)?,
            validation: held_out.then(|| score(session, &validation)).transpose()?,
            test: Evaluation::new(&answers, classes),
            answers,
        })
    }

    /// The wrong answers by their places in the test set, the ones that cost most first.
    pub fn mistakes(&self) -> Vec<(usize, Answer)> {
        let wrong = |(_, answer): &(usize, Answer)| answer.class != answer.label;
        let mut mistakes: Vec<_> = self.answers.iter().copied().enumerate().filter(wrong).collect();
        mistakes.sort_by(|(_, a), (_, b)| b.loss.total_cmp(&a.loss));
        mistakes
    }
}
