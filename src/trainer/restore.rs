//! Leaving a training and coming back to it, between any two steps.

use super::Trainer;
use crate::program::{State, TensorId};
use crate::snapshot::{Position, Snapshot};
use crate::{Error, Result};
use std::time::Duration;

impl Trainer {
    /// Everything that training has changed so far.
    #[doc(hidden)]
    pub fn snapshot(&mut self) -> Result<Snapshot> {
        let ids = self.changing();
        let tensors = ids.into_iter().map(|(name, id)| Ok((name, self.session.get(id)?))).collect::<Result<_>>()?;
        let position = Position {
            step: self.step,
            next_row: self.next_row,
            target_reached: self.target_reached,
            epoch_loss: self.epoch_loss,
            epoch_correct: self.epoch_correct,
            epoch_seconds: self.epoch_time.as_secs_f64(),
        };
        Ok(Snapshot { position, step_losses: self.step_losses.clone(), tensors })
    }

    /// Goes back to a snapshot of a run with the same program.
    ///
    /// # Errors
    /// When the snapshot does not have this program's tensors, or stands beyond its end.
    #[doc(hidden)]
    pub fn restore(&mut self, snapshot: &Snapshot) -> Result<()> {
        let unfit = |what: String| Error::Data(format!("the checkpoint is not one of this run: {what}"));
        let Snapshot { position, step_losses, tensors } = snapshot;
        let ids = self.changing();
        for (name, id) in &ids {
            let found = tensors.get(name).map_or(0, Vec::len);
            let expected = self.session.program().tensor(*id).len();
            if found != expected {
                return Err(unfit(format!("{name} has {found} numbers instead of {expected}")));
            }
        }
        let steps_per_epoch = self.course.steps_per_epoch;
        let rows = position.step.div_ceil(steps_per_epoch);
        let within = position.step <= steps_per_epoch * self.metadata.training.epochs;
        if tensors.len() != ids.len() || !within || !(rows..=rows + 1).contains(&position.next_row) {
            return Err(unfit(format!("it stands at step {} and row {}", position.step, position.next_row)));
        }
        for (name, id) in &ids {
            self.session.put(*id, &tensors[name])?;
        }
        let ports = self.session.program().ports.clone();
        self.session
            .put(ports.train.state, &[State::at(self.metadata.training.seed, position.step, 0, self.train.end)])?;
        if position.step < steps_per_epoch * self.metadata.training.epochs {
            self.session.put(ports.schedule, &self.course.rows(position.step / steps_per_epoch))?;
        }
        self.step = position.step;
        self.next_row = position.next_row;
        self.target_reached = position.target_reached;
        self.epoch_loss = position.epoch_loss;
        self.epoch_correct = position.epoch_correct;
        self.epoch_time = Duration::try_from_secs_f64(position.epoch_seconds).unwrap_or_default();
        self.step_losses.clone_from(step_losses);
        Ok(())
    }

    /// The tensors that a run's course is in: parameters and moments.
    fn changing(&self) -> Vec<(String, TensorId)> {
        let program = self.session.program();
        let ids = std::iter::once(program.ports.parameters).chain(program.ports.moments.iter().copied());
        ids.map(|id| (program.tensor(id).name.clone(), id)).collect()
    }
}
