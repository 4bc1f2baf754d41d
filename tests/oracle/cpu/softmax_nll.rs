use super::{DEAD, assert_dead, bound, numbers, rig::Rig, rig::floats, wide};
use crate::reference::{random::threefry, softmax};
use mnist_gpu::program::{Op, Rows, SoftmaxNll, State};
use proptest::prelude::*;

/// The slot that is written, of [`SLOTS`].
const SLOT: usize = 2;
const SLOTS: usize = 4;

/// Logits with a label per row; `dead` rows follow, and the step has `others` more images than these.
#[derive(Debug)]
struct Case {
    classes: usize,
    logits: Vec<f32>,
    labels: Vec<u8>,
    dead: usize,
    others: usize,
}

fn check(case: &Case) {
    for result in [Rows::Gradient, Rows::LogProbabilities] {
        for accumulate in [false, true] {
            check_result(case, result, accumulate);
        }
    }
}

fn check_result(case: &Case, result: Rows, accumulate: bool) {
    let Case { classes, logits, labels, dead, others } = case;
    let (live, images) = (labels.len(), labels.len() + others);
    let rows = live + dead;
    let mut padded = logits.clone();
    padded.resize(rows * classes, DEAD);
    // A label that is not there, in dead rows.
    let label = |row: usize| labels.get(row).map_or(u32::MAX, |&label| u32::from(label));
    let samples: Vec<u32> = (0..rows).flat_map(|row| [0, label(row)]).collect();
    let mut rig = Rig::default();
    let state = State { live: live as u32, batch: images as u32, slot: SLOT as u32, ..State::default() };
    let before = [2.5, 3.0];
    let op = SoftmaxNll {
        state: rig.state(state),
        logits: rig.f32(&[rows, *classes], &padded),
        samples: rig.u32(&[rows, 2], &samples),
        metrics: rig.f32(&[SLOTS, 2], &before.repeat(SLOTS)),
        output: rig.f32(&[rows, *classes], &vec![DEAD; rows * classes]),
        result,
        accumulate,
    };
    let (metrics, output) = (op.metrics, op.output);
    let mut session = rig.run(Op::SoftmaxNll(op));
    let theirs = softmax::softmax_nll(*classes, &wide(logits), labels, images);

    let ours = floats(&mut session, output);
    let (live_part, dead_part) = ours.split_at(live * classes);
    assert_dead("output", dead_part);
    match result {
        Rows::LogProbabilities => {
            let close = |i: usize| bound::RTOL * theirs.log_probabilities[i].abs() + bound::ATOL;
            bound::hold("log-probabilities", live_part, &theirs.log_probabilities, close);
        }
        // What log p is off by, p is off by relative to itself, and p · |log p| < 1: ATOL holds for p.
        Rows::Gradient => {
            let close = |i: usize| bound::RTOL * theirs.gradient[i].abs() + bound::ATOL / images as f64;
            bound::hold("gradient", live_part, &theirs.gradient, close);
        }
    }

    let mut expected = wide(&before.repeat(SLOTS));
    let slot = &mut expected[2 * SLOT..][..2];
    slot.copy_from_slice(&[theirs.loss, theirs.correct as f64]);
    if accumulate {
        slot[0] += f64::from(before[0]);
        slot[1] += f64::from(before[1]);
    }
    // Losses are not negative, so that relative errors of the terms are those of the sum; counts are exact.
    let close = |i: usize| {
        if i == 2 * SLOT { bound::RTOL * expected[i] + bound::ATOL * live as f64 } else { 0.0 }
    };
    bound::hold("metrics", &floats(&mut session, metrics), &expected, close);
}

fn labels(test: u32, rows: usize, classes: usize) -> Vec<u8> {
    (0..rows).map(|row| (threefry([3, test], [row as u32, 0])[0] % classes as u32) as u8).collect()
}

fn random(test: u32, rows: usize, classes: usize, scale: f32, dead: usize, others: usize) -> Case {
    let logits = numbers(test, rows * classes).iter().map(|x| scale * x).collect();
    Case { classes, logits, labels: labels(test, rows, classes), dead, others }
}

#[test]
fn fixed_shapes() {
    for (rows, classes) in [(1, 1), (1, 2), (3, 10), (64, 10), (65, 47), (5, 256), (0, 10)] {
        check(&random(0, rows, classes, 4.0, 1, 0));
        check(&random(1, rows, classes, 4.0, 30, 7));
    }
}

#[test]
fn extreme_logits() {
    check(&random(2, 33, 10, 1e4, 3, 0));
    let rows = [[1e4, -1e4, 0.0], [-1e4, 1e4, -1e4], [-1e4, -1e4, -1e4], [1e4, 1e4, 1e4], [0.0, -1e4, 1e4]];
    for label in 0..3 {
        check(&Case { classes: 3, logits: rows.concat(), labels: vec![label; rows.len()], dead: 2, others: 0 });
    }
}

/// Equal logits: the first class is the answer.
#[test]
fn equal_logits() {
    let labels = labels(5, 40, 10);
    assert!(labels.contains(&0) && labels.iter().any(|&label| label > 0));
    for logit in [0.0, -0.0, 3.25, 1e4, -1e4] {
        check(&Case { classes: 10, logits: vec![logit; 400], labels: labels.clone(), dead: 0, others: 0 });
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn any_batch(test in 100_u32..1_000, rows in 0_usize..80, classes in 1_usize..60, scale in 0.01_f32..100.0, dead in 1_usize..9, others in 0_usize..50) {
        check(&random(test, rows, classes, scale, dead, others));
    }
}
