//! study.md: the report to read.

use super::figures::{CellRow, Figures, SizeRow};
use super::words::statements;
use super::{CSV_FILE, JSON_FILE, PLOT};
use crate::report::command::{options, quoted};
use crate::report::numbers::{count, percent, plus_minus, significant, thousands};
use crate::report::statements::{list, plain};
use crate::statistics::Spread;

/// The report.
pub fn markdown(figures: &Figures) -> String {
    let [model, data] = [&figures.config.model.name, &figures.data].map(|name| plain(name));
    let margins = figures.steps.iter().chain(&figures.overall).any(|step| step.test_loss.margin.is_some());
    let sections = [
        format!("# Test loss against training-set size: {model} on {data}"),
        introduction(figures),
        format!("![Test loss and accuracy against the number of training images]({PLOT}.png)"),
        format!("## Results\n\n{}", table(figures)),
        "Mean ± sample standard deviation over the seeds. Training figures are those of the last epoch, each image as its \
         step saw it; seconds are a run's, of training alone."
            .into(),
        format!("## What these numbers say\n\n{}", statements(figures).join("\n\n")),
        if margins { "Differences are given with their 95 % confidence interval (Welch's t)." } else { "" }.into(),
        format!("## How to read them\n\n{}", reading(figures)),
        format!("## How it was done\n\n{}", method(figures)),
    ];
    sections.into_iter().filter(|section| !section.is_empty()).collect::<Vec<_>>().join("\n\n") + "\n"
}

fn introduction(figures: &Figures) -> String {
    let cells_of = |size: u32| figures.cells.iter().filter(|row| row.cell.train_size == size).count();
    let all_seeds = |row: &CellRow| cells_of(row.cell.train_size) == figures.seeds();
    let sizes: Vec<String> = figures.sizes.iter().map(|row| thousands(row.train_size.into())).collect();
    format!(
        "How well does the model do when it has fewer images to learn from? {} ({}) was trained on {} images of {}, {}, and \
         tested on all {}.",
        plain(&figures.config.model.name),
        count(figures.parameters, "parameter"),
        list(&sizes),
        plain(&figures.data),
        match figures.seeds() {
            1 => "once each".into(),
            seeds if figures.missing.is_empty() && figures.cells.iter().all(all_seeds) =>
                format!("with {seeds} seeds each"),
            seeds => format!("with up to {seeds} seeds each"),
        },
        count(figures.test_images.into(), "test image")
    )
}

/// The table of the sizes.
pub fn table(figures: &Figures) -> String {
    let mut text = String::from(
        "| training images | seeds | steps | test loss | test accuracy, % | train loss | train accuracy, % | seconds |\n\
         |---:|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    for row in &figures.sizes {
        text.push_str(&format!("| {} |\n", cells(row).join(" | ")));
    }
    text.trim_end().into()
}

/// The cells of a row of the table.
pub fn cells(row: &SizeRow) -> [String; 8] {
    let spread = |spread: &Spread, scale: f64, digits: u32| match spread.standard_deviation {
        Some(deviation) => plus_minus(scale * spread.mean, scale * deviation),
        None => significant(scale * spread.mean, digits),
    };
    [
        thousands(row.train_size.into()),
        row.test_loss.count.to_string(),
        thousands(row.steps),
        spread(&row.test_loss, 1.0, 3),
        spread(&row.test_accuracy, 100.0, 4),
        spread(&row.train_loss, 1.0, 3),
        spread(&row.train_accuracy, 100.0, 4),
        significant(row.seconds.mean, 3),
    ]
}

/// What the loss is, with these very numbers as the example.
fn reading(figures: &Figures) -> String {
    let best = figures.sizes.iter().min_by(|a, b| a.test_loss.mean.total_cmp(&b.test_loss.mean)).expect("a size");
    let loss = best.test_loss.mean;
    let chance = (figures.classes as f64).ln();
    format!(
        "The test loss is the mean negative log-likelihood (NLL), in nats: for each test image, minus the natural logarithm of \
         the probability that the model gave to the right class, averaged over all of them. 0 would be certainty of every \
         right answer; spreading the probability evenly over the {classes} classes has ln {classes} = {chance:.3}. The best \
         mean here, {loss} at {size} images, says that the right class was given {probability} on (geometric) average.\n\n\
         Accuracy counts which answers are right; NLL also counts how sure they were, and a confident mistake costs most. So \
         NLL still tells models apart whose accuracies are alike. A training loss far below the test loss is the mark of a \
         model that knows its images by heart: that is what more data cures.",
        classes = figures.classes,
        loss = significant(loss, 3),
        size = thousands(best.train_size.into()),
        probability = percent((-loss).exp(), 1),
    )
}

fn method(figures: &Figures) -> String {
    let Figures { config, devices, versions, cells, .. } = figures;
    let sizes = {
        let mut sizes: Vec<u32> = cells.iter().map(|row| row.cell.train_size).collect();
        sizes.dedup();
        sizes.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
    };
    let seeds = cells.iter().map(|row| row.cell.seed).max().unwrap_or(1);
    let steps = match (&figures.sizes[..], config.epochs) {
        ([first, .., last], epochs) if first.steps != last.steps => format!(
            " Every size gets {}, so a smaller one also gets fewer steps ({} to {}): what a size is short of is both.",
            count(epochs.into(), "epoch"),
            thousands(first.steps),
            thousands(last.steps)
        ),
        _ => String::new(),
    };
    let folder = figures.data_dir.as_ref().map_or(String::new(), |folder| format!(" --data-dir {}", quoted(folder)));
    format!(
        "Each cell, a size and a seed, is a training run of {}.{steps} A seed decides which images are chosen, the initial \
         weights and the order of the images. The images are balanced over the classes, and with one seed the smaller choices \
         are parts of the larger ones; all training images are the same ones for every seed.\n\n\
         {} ran on {}, mnist-gpu {}.\n\n\
         ```sh\nmnist-gpu study {}{folder} --sizes {sizes} --seeds {seeds}\n```\n\n\
         does it again: `--out` with the folder of this study runs the cells that are missing there and writes this report \
         anew. `{CSV_FILE}` has the figures of every cell, `{JSON_FILE}` all the figures that stand here.",
        config.summary(),
        count(cells.len() as u64, "cell"),
        list(devices),
        list(versions),
        options(config, &format!("{}.json", config.model.name)),
    )
}
