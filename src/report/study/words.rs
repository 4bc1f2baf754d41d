//! What the figures of a study say, in sentences. Each sentence follows from the figures; none stands there regardless.

use super::figures::{Figures, SizeRow, Step, Verdict};
use super::law::power_law;
use crate::report::numbers::{count, percent, plus_minus, significant, thousands};
use crate::report::statements::list;
use crate::statistics::{Change, wilson};

/// The most steps whose portions of the whole fall are listed.
const MOST_PORTIONS: usize = 5;

/// What the figures say, a paragraph each.
pub fn statements(figures: &Figures) -> Vec<String> {
    let Figures { sizes, steps, overall, .. } = figures;
    let mut all = vec![conclusion(figures)];
    all.extend(steps.iter().map(|step| bought(step, sizes)));
    all.extend(overall.iter().filter_map(|overall| portions(overall, steps)));
    all.push(power_law(figures));
    all.push(floor(figures));
    all.extend(exceptions(figures));
    all
}

/// Whether more data helped.
fn conclusion(figures: &Figures) -> String {
    let steps = &figures.steps;
    let of = |verdict: Verdict| steps.iter().filter(move |step| step.verdict == verdict);
    let names = |verdict: Verdict| {
        let names: Vec<String> = of(verdict).map(|step| thousands(step.to.into())).collect();
        list(&names)
    };
    let all_fell = figures.overall.as_ref().is_some_and(|overall| overall.verdict == Verdict::Fell);
    let [fell, unknown] = [Verdict::Fell, Verdict::Unknown].map(|verdict| of(verdict).count());
    if steps.is_empty() {
        return "**One size says nothing about more data.** Others are added by `--sizes`.".into();
    }
    if unknown == steps.len() && !all_fell {
        let falling = steps.iter().all(|step| step.test_loss.difference < 0.0);
        let what = if falling { "fell at every step" } else { "did not fall at every step" };
        let more = if figures.seeds() == 1 { " `--seeds 3` gives one." } else { "" };
        return format!(
            "**The test loss {what}, but whether by more than chance is open:** a size with a single run has no spread to hold it against.{more}"
        );
    }
    if fell == steps.len() {
        return "**More data helped at every step,** by more than the spread over the seeds explains.".into();
    }
    let mut text = match fell {
        0 if all_fell => "**More data helped in all,** but no single step shows it by more than the spread over the seeds explains.".into(),
        0 if unknown > 0 => {
            "**Whether more data helped is open:** no step that can be judged lowered the test loss by more than the spread over the seeds explains."
                .into()
        }
        0 => {
            "**More data did not help:** no step lowered the test loss by more than the spread over the seeds explains."
                .into()
        }
        _ => format!("**More data helped at {fell} of {} steps.**", steps.len()),
    };
    for (verdict, what) in [
        (Verdict::Unclear, "made no difference that is more than chance"),
        (Verdict::Rose, "made it worse"),
        (Verdict::Unknown, "cannot be judged: a size has a single run"),
    ] {
        if of(verdict).count() > 0 {
            text.push_str(&format!(" Going up to {} images {what}.", names(verdict)));
        }
    }
    text
}

/// What one step of data bought.
fn bought(step: &Step, sizes: &[SizeRow]) -> String {
    let row = |size: u32| sizes.iter().find(|row| row.train_size == size).expect("a step is between sizes");
    let (from, to) = (row(step.from), row(step.to));
    let times = f64::from(step.to) / f64::from(step.from);
    let times = significant(times, if times < 1.1 { 3 } else { 2 });
    format!(
        "**{} → {} images** ({} times as many): the test loss {}; the accuracy {}.",
        thousands(step.from.into()),
        thousands(step.to.into()),
        times.trim_end_matches(".0"),
        loss_change(step, from, to),
        accuracy_change(&step.test_accuracy, from, to)
    )
}

fn loss_change(step: &Step, from: &SizeRow, to: &SizeRow) -> String {
    let [first, second] = [from, to].map(|row| significant(row.test_loss.mean, 3));
    if step.verdict == Verdict::Unclear {
        let change = signed(&step.test_loss, 1.0);
        return format!(
            "went from {first} to {second}, a change of {change}, which is within the spread over the seeds"
        );
    }
    let (verb, compared) = if step.test_loss.difference < 0.0 { ("fell", "less") } else { ("rose", "more") };
    let by_doubling = step
        .loss_per_doubling
        .map_or(String::new(), |factor| format!(", {} {compared} for each doubling", percent((1.0 - factor).abs(), 0)));
    format!("{verb} by {}, from {first} to {second}{by_doubling}", unsigned(&step.test_loss, 1.0))
}

fn accuracy_change(change: &Change, from: &SizeRow, to: &SizeRow) -> String {
    let [first, second] = [from, to].map(|row| percent(row.test_accuracy.mean, 2));
    if change.difference == 0.0 {
        return format!("stayed at {first}");
    }
    if change.margin.is_some_and(|margin| change.difference.abs() <= margin) {
        return format!("went from {first} to {second} ({} points)", signed(change, 100.0));
    }
    let verb = if change.difference > 0.0 { "rose" } else { "fell" };
    format!("{verb} by {} points, from {first} to {second}", unsigned(change, 100.0))
}

fn unsigned(change: &Change, scale: f64) -> String {
    let difference = scale * change.difference.abs();
    change.margin.map_or_else(|| significant(difference, 3), |margin| plus_minus(difference, scale * margin))
}

fn signed(change: &Change, scale: f64) -> String {
    let sign = if change.difference < 0.0 { '−' } else { '+' };
    format!("{sign}{}", unsigned(change, scale))
}

/// How the whole fall divides among the steps.
fn portions(overall: &Step, steps: &[Step]) -> Option<String> {
    if overall.verdict != Verdict::Fell {
        return None;
    }
    let portion = |step: &Step| {
        let share = percent(step.test_loss.difference / overall.test_loss.difference, 0);
        format!("{share} by going up to {}", thousands(step.to.into()))
    };
    let falling = steps.iter().all(|step| step.test_loss.difference <= 0.0);
    let parts = if falling && steps.len() <= MOST_PORTIONS {
        format!(": {}", list(&steps.iter().map(portion).collect::<Vec<_>>()))
    } else {
        String::new()
    };
    Some(format!(
        "**In all,** from {} to {} images, the loss fell by {}{parts}.",
        thousands(overall.from.into()),
        thousands(overall.to.into()),
        unsigned(&overall.test_loss, 1.0)
    ))
}

/// What the test images alone leave open of the best accuracy: no spread over seeds shows it.
fn floor(figures: &Figures) -> String {
    let best = figures.sizes.iter().map(|row| row.test_accuracy.mean).fold(0.0, f64::max);
    let images = u64::from(figures.test_images);
    let interval = wilson((best * images as f64).round() as u64, images);
    format!(
        "**The test images themselves** are a sample: with an accuracy of {} on {}, that on all images of their kind lies between {} and {} (95 % confidence), for all cells alike. The spread over the seeds does not contain this.",
        percent(best, 2),
        thousands(images),
        percent(interval.start, 2),
        percent(interval.end, 2)
    )
}

/// What the means leave out.
fn exceptions(figures: &Figures) -> Vec<String> {
    let mut all = Vec::new();
    let diverged: Vec<String> = figures
        .cells
        .iter()
        .filter(|row| row.scores.is_none())
        .map(|row| format!("{} images with seed {}", thousands(row.cell.train_size.into()), row.cell.seed))
        .collect();
    if !diverged.is_empty() {
        all.push(format!(
            "**Diverged:** {} ({}). No mean contains {}; a lower learning rate may keep all.",
            count(diverged.len() as u64, "cell"),
            list(&diverged),
            if diverged.len() == 1 { "it" } else { "them" }
        ));
    }
    if !figures.missing.is_empty() {
        let names: Vec<String> = figures
            .missing
            .iter()
            .map(|cell| format!("{} images with seed {}", thousands(cell.train_size.into()), cell.seed))
            .collect();
        all.push(format!("**Not there yet:** {}. The means are of the seeds that are.", list(&names)));
    }
    all
}
