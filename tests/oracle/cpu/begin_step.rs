use super::rig::Rig;
use crate::reference::random;
use mnist_gpu::program::{BeginStep, Op, Order, State};
use proptest::prelude::*;

/// What stands in a sample that is not live.
const UNTOUCHED: u32 = 0xdead_beef;

/// `step` steps were begun over `count` images from `first` on; a batch of `batch` is taken in parts of `rows`.
#[derive(Clone, Copy, Debug)]
struct Case {
    seed: u32,
    step: u32,
    first: u32,
    count: u32,
    batch: u32,
    rows: u32,
    order: Order,
    slots: u32,
}

/// Every micro-batch of the step, from the definition: step s is number s mod ⌈n / B⌉ of its epoch.
fn check(case: Case) {
    let Case { seed, step, first, count, batch, rows, order, slots } = case;
    let steps = count.div_ceil(batch);
    let (epoch, position) = (step / steps, step % steps);
    let whole: Vec<u32> = match order {
        Order::Sequential => (0..count).collect(),
        Order::Shuffled => random::order(seed, epoch, count),
    };
    let images = whole.chunks(batch as usize).nth(position as usize).expect("the epoch has this step");
    let labels: Vec<u8> = (0..first + count).map(|i| (i * 7 % 251) as u8).collect();
    let schedule: Vec<f32> = (0..steps * 4).map(|i| i as f32 + 0.5).collect();
    let row = &schedule[4 * position as usize..][..3];
    for micro_batch in 0..batch.div_ceil(rows) {
        let mut rig = Rig::default();
        let mut before = State::at(seed, step, first, count);
        before.step += u32::from(micro_batch > 0);
        let state = rig.state(before);
        let samples = rig.u32(&[rows as usize, 2], &vec![UNTOUCHED; 2 * rows as usize]);
        let op = BeginStep {
            state,
            schedule: Some(rig.f32(&[steps as usize, 4], &schedule)),
            labels: rig.u8(&[labels.len()], &labels),
            samples,
            order,
            batch,
            micro_batch,
            slots,
        };
        let mut session = rig.run(Op::BeginStep(op));
        let taken: Vec<u32> =
            images.iter().skip((micro_batch * rows) as usize).take(rows as usize).map(|image| first + image).collect();
        let expected = State {
            seed,
            step: step + 1,
            first,
            count,
            epoch,
            offset: position * batch + micro_batch * rows,
            live: taken.len() as u32,
            batch: images.len() as u32,
            slot: step % slots,
            learning_rate: row[0],
            first_correction: row[1],
            second_correction: row[2],
        };
        let found: State = session.get(state).expect("a state")[0];
        assert_eq!(found, expected, "{case:?}, micro-batch {micro_batch}");
        let mut listed: Vec<u32> = taken.iter().flat_map(|&image| [image, u32::from(labels[image as usize])]).collect();
        listed.resize(2 * rows as usize, UNTOUCHED);
        let found: Vec<u32> = session.get(samples).expect("samples");
        assert_eq!(found, listed, "{case:?}, micro-batch {micro_batch}");
    }
}

const CASE: Case =
    Case { seed: 3, step: 0, first: 0, count: 100, batch: 32, rows: 32, order: Order::Shuffled, slots: 8 };

/// Every step of three epochs of 100 images: 32, 32, 32 and 4.
#[test]
fn three_epochs() {
    for order in [Order::Shuffled, Order::Sequential] {
        for step in 0..12 {
            check(Case { step, order, ..CASE });
            check(Case { step, order, rows: 13, first: 17, ..CASE });
        }
    }
}

#[test]
fn extremes() {
    check(Case { count: 1, batch: 1, rows: 1, slots: 1, ..CASE });
    check(Case { count: 1, batch: 64, rows: 64, step: 5, ..CASE });
    check(Case { seed: u32::MAX, count: 65_537, batch: 65_000, rows: 65_000, step: 1, ..CASE });
    check(Case { count: 60_000, batch: 64, rows: 64, step: 937, ..CASE });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_step(seed: u32, step in 0_u32..50, first in 0_u32..9, count in 1_u32..300, batch in 1_u32..70, rows in 1_u32..70) {
        check(Case { seed, step, first, count, batch, rows: rows.min(batch), ..CASE });
    }
}
