//! `report.md`: what was trained, how it went, how good it is, and how to do it again.

use super::command::{MODEL_FILE, command, is_preset};
use super::numbers::{count, loss, percent, significant, thousands};
use super::results::Subject;
use super::statements::{calibration, confusions, course, headline, meaning, plain, unfinished};
use super::write::{CONFUSION, MISTAKES, RELIABILITY, TRAINING};
use crate::Result;
use crate::evaluate::Score;
use crate::model::{Layer, Shape, Stage};
use crate::optimizer::Optimizer;
use crate::run::{METRICS_FILE, RUN_FILE, Status, WEIGHTS_FILE};
use crate::trainer::{EpochRow, UNTRAINED};

/// The most rows of a table that would be as long as a run or a list of classes.
const MOST_ROWS: usize = 30;

/// Writes the report; `plots` are the names (without ending) of the pictures that there are.
pub fn report(subject: &Subject, plots: &[&str]) -> Result<String> {
    let picture = |name: &str, text: &str| {
        if plots.contains(&name) { format!("![{text}]({name}.png)\n\n") } else { String::new() }
    };
    let mut text = format!("# {}\n\n{}\n\n", plain(subject.name), plain(&headline(subject)));
    if let Some(warning) = unfinished(subject.run) {
        text.push_str(&format!("**{warning}**\n\n"));
    }
    text.push_str(&format!("## What was trained\n\n{}{}", configuration(subject), architecture(subject)?));
    text.push_str(&format!("## On what\n\n{}", setting(subject)));
    text.push_str("## How it went\n\n");
    text.push_str(&picture(TRAINING, "Loss and accuracy over the epochs"));
    text.push_str(&epochs(subject));
    text.push_str(&paragraph(&course(subject.run)));
    text.push_str(&format!("## How good it is\n\n{}", scores(subject)));
    text.push_str(&paragraph(&meaning(subject.results, &subject.data.classes)));
    text.push_str(&format!("### Class by class\n\n{}", classes(subject)));
    text.push_str(&picture(CONFUSION, "Confusion matrix"));
    text.push_str(&frequent(subject));
    text.push_str(&format!("### Can its probabilities be believed?\n\n{}\n\n", calibration(subject.results)));
    text.push_str(&picture(RELIABILITY, "Reliability diagram"));
    if plots.contains(&MISTAKES) {
        text.push_str(&format!("### The worst mistakes\n\n{}", picture(MISTAKES, "Wrong answers with their images")));
    }
    text.push_str(&again(subject));
    Ok(text)
}

fn paragraph(sentences: &[String]) -> String {
    if sentences.is_empty() { String::new() } else { format!("{}\n\n", sentences.join(" ")) }
}

/// A table with one row for each pair.
fn pairs(rows: &[(&str, String)]) -> String {
    let rows: String = rows.iter().map(|(name, value)| format!("| {name} | {value} |\n")).collect();
    format!("| | |\n|---|---|\n{rows}\n")
}

fn configuration(subject: &Subject) -> String {
    let config = &subject.run.config;
    let optimizer = match config.optimizer {
        Optimizer::Sgd { momentum, nesterov, weight_decay } => {
            let kind = if nesterov { "Nesterov's momentum" } else { "momentum" };
            format!("SGD, {kind} {momentum}, L2 penalty {weight_decay}")
        }
        Optimizer::Adam { betas: [first, second], epsilon, weight_decay, decoupled } => {
            let (name, decay) = if decoupled { ("AdamW", "weight decay") } else { ("Adam", "L2 penalty") };
            format!("{name}, β₁ {first}, β₂ {second}, ε {epsilon:e}, {decay} {weight_decay}")
        }
    };
    let mut rows = vec![
        ("model", format!("{}, {}", plain(&config.model.name), count(subject.run.parameters, "parameter"))),
        ("epochs", thousands(config.epochs.into())),
        ("batch", count(config.batch_size.into(), "image")),
        ("optimizer", optimizer),
        ("learning rate", format!("{}, {}", config.learning_rate, config.schedule.name())),
        ("seed", config.seed.to_string()),
    ];
    if let Some(target) = config.target_accuracy {
        rows.push(("stops at", format!("{} of the images held out", percent(target, 2))));
    }
    if let Some(init) = &subject.run.init {
        rows.push(("initial weights", format!("those of {}", plain(init))));
    }
    pairs(&rows)
}

fn architecture(subject: &Subject) -> Result<String> {
    let (run, data) = (subject.run, subject.data);
    let image = Shape::picture(data.height, data.width);
    let stages = run.config.model.stages(image, data.classes.len() as u32)?;
    let mut text = String::from("| stage | layers | output | parameters | FLOP |\n|---|---|---:|---:|---:|\n");
    text.push_str(&format!("| image | | {image} | | |\n"));
    for (stage, layers) in stages.iter().zip(grouped(&run.config.model.layers)) {
        let (parameters, flops) = (thousands(stage.parameter_count()), thousands(stage.flops()));
        text.push_str(&format!("| {} | {layers} | {} | {parameters} | {flops} |\n", stage.name(), stage.output()));
    }
    let total = |count: fn(&Stage) -> u64| thousands(stages.iter().map(count).sum());
    let (parameters, flops) = (total(Stage::parameter_count), total(Stage::flops));
    Ok(format!("{text}| all | | | {parameters} | {flops} |\n\nFLOP are those of one image's way forwards.\n\n"))
}

/// The layers of each stage: what follows a layer with weights belongs to it.
fn grouped(layers: &[Layer]) -> Vec<String> {
    let mut groups: Vec<String> = Vec::new();
    for layer in layers {
        match groups.last_mut() {
            Some(group) if matches!(layer, Layer::Relu | Layer::MaxPool { .. }) => {
                group.push_str(&format!(", {layer}"));
            }
            _ => groups.push(layer.to_string()),
        }
    }
    groups
}

fn setting(subject: &Subject) -> String {
    let Subject { run, data, evaluated_on, .. } = subject;
    let held_out = match run.data.validation_images {
        0 => String::new(),
        images => format!(", {} held out", thousands(images.into())),
    };
    let mut rows = vec![
        ("data", plain(&run.data.name)),
        (
            "images",
            format!(
                "{} trained on{held_out}, {} tested on; {}×{} pixels",
                thousands(run.data.train_images.into()),
                thousands(run.data.test_images.into()),
                data.height,
                data.width
            ),
        ),
        ("classes", class_list(&data.classes)),
        ("normalisation", format!("(pixel / 255 − {:.4}) / {:.4}", data.mean, data.std)),
        ("fingerprint", format!("`{}` (SHA-256 of all images and labels)", run.data.fingerprint)),
        ("device", plain(&run.device.to_string())),
        ("why this one", plain(&run.device_reason)),
        ("kernels", kernels(subject)),
        ("program", format!("mnist-gpu {}", plain(&run.version))),
    ];
    if **evaluated_on != run.device {
        rows.insert(7, ("evaluated on", plain(&evaluated_on.to_string())));
    }
    pairs(&rows)
}

fn class_list(classes: &[String]) -> String {
    let names: Vec<String> = classes.iter().take(MOST_ROWS).map(|class| plain(class)).collect();
    let more = if classes.len() > MOST_ROWS { ", …" } else { "" };
    format!("{}: {}{more}", classes.len(), names.join(", "))
}

/// The kernels of the training step, each once.
fn kernels(subject: &Subject) -> String {
    let mut names: Vec<String> = subject.run.kernels.iter().map(|choice| plain(&choice.kernel)).collect();
    names.sort();
    names.dedup();
    names.join(", ")
}

fn epochs(subject: &Subject) -> String {
    let run = subject.run;
    let held_out = run.data.validation_images > 0;
    let [head, line] = if held_out { [" validation loss | accuracy |", "---:|---:|"] } else { [""; 2] };
    let mut text = format!(
        "| epoch | training loss | accuracy | test loss | accuracy |{head} learning rate | images/s | seconds |\n\
         |---:|---:|---:|---:|---:|{line}---:|---:|---:|\n"
    );
    let shown = spread(run.epochs.len());
    for row in shown.iter().map(|&index| &run.epochs[index]) {
        text.push_str(&epoch(row, held_out));
    }
    let rest = match run.epochs.len() - shown.len() {
        0 => String::new(),
        rows => format!(" {} are left out here; {METRICS_FILE} has all.", count(rows as u64, "row")),
    };
    format!(
        "{text}\nTraining figures are taken while an epoch goes on, each image as its step saw it; epoch 0 is the network \
         before training, on {} training images at most.{rest}\n\n",
        thousands(UNTRAINED.into())
    )
}

/// At most so many places of a list, the first and the last among them.
fn spread(length: usize) -> Vec<usize> {
    let count = length.min(MOST_ROWS);
    (0..count).map(|place| if count > 1 { place * (length - 1) / (count - 1) } else { 0 }).collect()
}

fn epoch(row: &EpochRow, held_out: bool) -> String {
    let optional = |value: Option<String>| value.unwrap_or_else(|| "–".into());
    let score = |nats: f64, accuracy: f64| format!("{} | {}", loss(nats), percent(accuracy, 2));
    let validation = match (held_out, row.validation_loss.zip(row.validation_accuracy)) {
        (false, _) => String::new(),
        (true, Some((loss, accuracy))) => format!(" {} |", score(loss, accuracy)),
        (true, None) => " – | – |".into(),
    };
    format!(
        "| {} | {} | {} |{validation} {} | {} | {} |\n",
        row.epoch,
        score(row.train_loss, row.train_accuracy),
        score(row.test_loss, row.test_accuracy),
        optional(row.learning_rate.map(|rate| significant(rate, 3))),
        optional(row.images_per_second.map(|rate| thousands(rate as u64))),
        optional(row.seconds.map(|seconds| significant(seconds, 3)))
    )
}

fn scores(subject: &Subject) -> String {
    let (run, results) = (subject.run, subject.results);
    let mut text = String::from("| images | count | loss (nats) | accuracy | wrong |\n|---|---:|---:|---:|---:|\n");
    let test = Score { loss: results.test.loss, accuracy: results.test.accuracy };
    let rows = [
        ("trained on", run.data.train_images, Some(results.train)),
        ("held out", run.data.validation_images, results.validation),
        ("tested on", results.test.images, Some(test)),
    ];
    for (name, images, score) in rows {
        let Some(score) = score else { continue };
        let wrong = (f64::from(images) * (1.0 - score.accuracy)).round() as u64;
        let (images, nats) = (thousands(images.into()), loss(score.loss));
        text.push_str(&format!(
            "| {name} | {images} | {nats} | {} | {} |\n",
            percent(score.accuracy, 2),
            thousands(wrong)
        ));
    }
    let typical = (-results.test.loss).exp();
    let even = (subject.data.classes.len() as f64).ln();
    format!(
        "{text}\nAll with the final weights. The loss is the mean of −ln p, where p is the probability that the right class was \
         given. {} on the test images is what p = {} every time would give; equal probabilities for all classes give {}.\n\n",
        significant(results.test.loss, 3),
        significant(typical, 3),
        significant(even, 3)
    )
}

fn classes(subject: &Subject) -> String {
    let all = &subject.results.test.per_class;
    let mut order: Vec<usize> = (0..all.len()).collect();
    let mut note = String::new();
    if all.len() > MOST_ROWS {
        let f1 = |index: usize| all[index].f1.unwrap_or(f64::INFINITY);
        order.sort_by(|&a, &b| f1(a).total_cmp(&f1(b)));
        order.truncate(MOST_ROWS);
        note = format!("The {MOST_ROWS} of {} classes with the lowest F1.\n\n", all.len());
    }
    let share = |value: Option<f64>| value.map_or("–".into(), |value| percent(value, 2));
    let mut text = String::from("| class | images | precision | recall | F1 |\n|---|---:|---:|---:|---:|\n");
    for score in order.into_iter().map(|index| &all[index]) {
        let [precision, recall, f1] = [score.precision, score.recall, score.f1].map(share);
        let (class, images) = (plain(&score.class), thousands(score.images.into()));
        text.push_str(&format!("| {class} | {images} | {precision} | {recall} | {f1} |\n"));
    }
    format!("{note}{text}\n")
}

fn frequent(subject: &Subject) -> String {
    let classes = &subject.data.classes;
    let all = confusions(&subject.results.test.confusion);
    if all.is_empty() {
        return "No test image was given a wrong class.\n\n".into();
    }
    let listed = all
        .iter()
        .take(5)
        .map(|&(times, label, answer)| format!("{} for {} ({times})", plain(&classes[label]), plain(&classes[answer])));
    format!("Most often taken for another: {}.\n\n", listed.collect::<Vec<_>>().join(", "))
}

fn again(subject: &Subject) -> String {
    let run = subject.run;
    let own = if is_preset(&run.config.model) {
        String::new()
    } else {
        format!("The layers of its model are in {MODEL_FILE} beside this file. ")
    };
    let data = match run.data_dir {
        Some(_) => "It needs the data with the fingerprint above. ",
        None => "",
    };
    let same = match (run.status, run.moved) {
        (Status::Complete, false) => format!(
            "On the same device, with the same kernels and version {} of the program, that gives the same weights to the last \
             bit: the",
            plain(&run.version)
        ),
        (Status::Complete, true) => {
            "This run went on on another device, or with other kernels, than it had before; from one \
                                     device alone other bits come. The"
                .into()
        }
        (Status::Diverged, _) => "On the same device that diverges again. The".into(),
        _ => "That trains to the end, which this run did not come to. The".into(),
    };
    format!(
        "## How to do it again\n\n```sh\n{}\n```\n\n{own}{data}{same} SHA-256 of {WEIGHTS_FILE} is\n`{}`.\nOn another device the \
         initial weights, the batches and the dropout masks are the same, and sums are rounded differently. {RUN_FILE} has every \
         figure, {METRICS_FILE} those of the epochs.\n",
        command(subject.run),
        subject.weights
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_is_spread_from_its_first_to_its_last() {
        assert_eq!(spread(3), [0, 1, 2]);
        let places = spread(1_001);
        assert_eq!((places.len(), places[0], places[MOST_ROWS - 1]), (MOST_ROWS, 0, 1_000));
        assert!(places.is_sorted() && spread(0).is_empty() && spread(1) == [0]);
    }

    #[test]
    fn layers_are_grouped_as_stages_are() {
        let model = crate::model::preset("convnet", 10).expect("a preset");
        let stages = model.stages(Shape::picture(28, 28), 10).expect("it fits");
        let groups = grouped(&model.layers);
        assert_eq!(groups.len(), stages.len());
        assert_eq!(groups[1], "conv 3×3 64, ReLU, pool 2×2");
    }
}
