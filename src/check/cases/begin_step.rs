//! Cases of [`begin_step`](BeginStep): orders, epochs, last batches, micro-batches. Every result is exact.

use super::{Case, Draft, Tolerance, Written, shapes};
use crate::program::{BeginStep, Element, Op, Order, State};

/// What a case begins.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Images in the set.
    pub count: u32,
    /// Images before the set.
    pub first: u32,
    /// Images in a full step.
    pub batch: u32,
    /// Rows of a micro-batch.
    pub rows: u32,
    /// Which micro-batch.
    pub micro_batch: u32,
    /// Steps of the run before this one.
    pub step: u32,
    /// In which order.
    pub order: Order,
    /// Whether there is a schedule.
    pub scheduled: bool,
}

/// The beginning of a step.
pub fn case(step: Step, seed: u32) -> Case {
    let Step { count, first, batch, rows, micro_batch, order, scheduled, .. } = step;
    let mut draft = Draft::new(seed);
    let steps = count.div_ceil(batch);
    let before = State {
        // Begun by the step's first micro-batch already.
        step: step.step + u32::from(micro_batch > 0),
        live: 12_345,
        slot: 54_321,
        learning_rate: 0.5,
        ..State::at(seed, 0, first, count)
    };
    let state = draft.state(before);
    let images = (first + count) as usize;
    let labels: Vec<u8> = draft.integers(images, 256).into_iter().map(|label| label as u8).collect();
    let labels = draft.tensor("labels", &[images], Element::U8, &labels);
    let schedule = scheduled.then(|| draft.random("schedule", &[steps as usize, 4]));
    let garbage = draft.integers(2 * rows as usize, 1 << 24);
    let samples = draft.tensor("samples", &[rows as usize, 2], Element::U32, &garbage);
    let position = step.step % steps;
    let live = (count - position * batch).min(batch).saturating_sub(micro_batch * rows).min(rows);
    let op = Op::BeginStep(BeginStep { state, schedule, labels, samples, order, batch, micro_batch, slots: 7 });
    let written = vec![
        Written::first(state, size_of::<State>() / 4, Tolerance::Exact),
        Written::first(samples, 2 * live as usize, Tolerance::Exact),
    ];
    draft.case(format!("{step:?}, seed {seed}"), op, written)
}

/// The cases.
pub fn cases(seed: u32) -> Vec<Case> {
    let usual = Step {
        count: 1_000,
        first: 0,
        batch: 96,
        rows: 96,
        micro_batch: 0,
        step: 0,
        order: Order::Shuffled,
        scheduled: true,
    };
    let evaluation = Step { order: Order::Sequential, scheduled: false, ..usual };
    let micro = Step { rows: 40, ..usual };
    let mut steps = vec![
        usual,
        // The last batch of an epoch, with 40 of 96 rows, and the first one of the next.
        Step { step: 10, ..usual },
        Step { step: 11, ..usual },
        Step { step: 7_777_777, ..usual },
        Step { step: u32::MAX - 1, ..usual },
        Step { first: 333, ..usual },
        // Orders that nearly fill a power of four, and that hardly do.
        Step { count: 1_024, batch: 64, rows: 64, step: 15, ..usual },
        Step { count: 1_025, batch: 64, rows: 64, step: 16, ..usual },
        Step { count: 60_000, batch: 256, rows: 256, step: 234, ..usual },
        evaluation,
        Step { first: 17, step: 10, ..evaluation },
        Step { scheduled: true, ..evaluation },
        Step { scheduled: false, ..usual },
        micro,
        Step { micro_batch: 1, ..micro },
        Step { micro_batch: 2, ..micro },
        // The last batch fills the first micro-batch; the later ones have no live row.
        Step { step: 10, ..micro },
        Step { step: 10, micro_batch: 1, ..micro },
        Step { step: 10, micro_batch: 2, first: 5, ..micro },
        Step { step: 21, rows: 24, micro_batch: 1, ..evaluation },
    ];
    for count in [1, 2, 3, 5] {
        for batch in [1, 2] {
            steps.push(Step { count, batch, rows: batch, step: count, ..usual });
        }
    }
    for [count, first, batch, rows, step] in shapes(seed, 6, [5_000, 100, 300, 300, 100]) {
        let [count, first, batch, rows, step] = [count, first, batch, rows, step].map(|value| value as u32);
        let micro_batch = (batch - 1) / rows;
        steps.push(Step { count, first, batch, rows, micro_batch, step, ..usual });
    }
    steps.into_iter().map(|step| case(step, seed)).collect()
}
