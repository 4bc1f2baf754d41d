//! Several runs beside each other: a table, what differs between them, and their curves.

use super::curves::{Curve, accuracies, dash, losses};
use super::font::has;
use super::numbers::{count, loss, percent, plus_minus, significant, thousands};
use super::statements::{list, plain};
use super::style::{color, fitted, note, px, stroke, text};
use super::training::{epoch_curve, last_epoch, step_curves};
use super::{Area, Dashed, Drawn, Figure};
use crate::Result;
use crate::file::write_whole;
use crate::run::{Run, Status};
use crate::statistics::{Spread, wilson};
use crate::trainer::EpochRow;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The comparison's file.
pub const COMPARISON_FILE: &str = "comparison.md";

/// Writes the comparison of runs, each with its folder, and returns its path.
pub fn write(runs: &[(&Path, Run)], out: &Path) -> Result<PathBuf> {
    let names = names(runs);
    let runs: Vec<(String, &Run)> = names.into_iter().zip(runs.iter().map(|(_, run)| run)).collect();
    std::fs::create_dir_all(out).map_err(crate::Error::io("create the folder", out))?;
    figure(&runs)?.save(out, "comparison")?;
    let path = out.join(COMPARISON_FILE);
    write_whole(&path, report(&runs).as_bytes())?;
    Ok(path)
}

/// The names of the folders, or their paths where two have the same name.
fn names(runs: &[(&Path, Run)]) -> Vec<String> {
    let short = |folder: &Path| folder.file_name().map(|name| name.to_string_lossy().into_owned());
    let shorts: Vec<Option<String>> = runs.iter().map(|(folder, _)| short(folder)).collect();
    let unique = |name: &Option<String>| name.is_some() && shorts.iter().filter(|other| *other == name).count() == 1;
    let name = |((folder, _), short): (&(&Path, Run), &Option<String>)| match short {
        Some(name) if unique(short) => name.clone(),
        _ => folder.display().to_string(),
    };
    runs.iter().zip(&shorts).map(name).collect()
}

fn report(runs: &[(String, &Run)]) -> String {
    let mut text =
        format!("# {}\n\n![Loss and accuracy of the runs](comparison.png)\n\n", count(runs.len() as u64, "run"));
    text.push_str(
        "| run | model | parameters | epochs | training loss | accuracy | test loss | accuracy | seconds |\n\
         |---|---|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    for (name, run) in runs {
        text.push_str(&row(name, run));
    }
    text.push_str("\nAfter the last epoch of each; training figures are taken while it goes on. Seconds are those of training alone.\n\n");
    text.push_str(&differences(runs));
    for sentence in statements(runs) {
        text.push_str(&format!("{sentence}\n\n"));
    }
    text
}

fn row(name: &str, run: &Run) -> String {
    let start = format!("| {} | {} | {} |", plain(name), plain(&run.config.model.name), thousands(run.parameters));
    let state = match run.status {
        Status::Complete => String::new(),
        Status::Running => " (running)".into(),
        Status::Interrupted => " (interrupted)".into(),
        Status::Diverged => " (diverged)".into(),
    };
    let Some(last) = run.epochs.last() else { return format!("{start} 0{state} | – | – | – | – | – |\n") };
    let seconds: f64 = run.epochs.iter().filter_map(|row| row.seconds).sum();
    format!(
        "{start} {}{state} | {} | {} | {} | {} | {} |\n",
        last.epoch,
        loss(last.train_loss),
        percent(last.train_accuracy, 2),
        loss(last.test_loss),
        percent(last.test_accuracy, 2),
        significant(seconds, 3)
    )
}

/// Everything that may differ between runs, apart from their results.
fn settings(run: &Run) -> Vec<(&'static str, String)> {
    let config = &run.config;
    let optional = |value: Option<u32>, none: &str| value.map_or(none.to_owned(), |value| thousands(value.into()));
    vec![
        ("data", format!("{} ({})", run.data.name, run.data.fingerprint.chars().take(8).collect::<String>())),
        ("training images", thousands(run.data.train_images.into())),
        ("held out", optional(config.validation, "none")),
        ("model", config.model.to_string()),
        ("initial weights", run.init.clone().unwrap_or_else(|| "of the seed".into())),
        ("training", config.summary()),
        ("target accuracy", config.target_accuracy.map_or("none".into(), |target| percent(target, 2))),
        ("seed", config.seed.to_string()),
        ("device", run.device.to_string()),
        ("program", run.version.clone()),
    ]
}

fn differences(runs: &[(String, &Run)]) -> String {
    let all: Vec<Vec<(&str, String)>> = runs.iter().map(|(_, run)| settings(run)).collect();
    let (same, differing): (Vec<usize>, Vec<usize>) =
        (0..all[0].len()).partition(|&setting| all.iter().all(|settings| settings[setting].1 == all[0][setting].1));
    let mut text = String::new();
    if !differing.is_empty() {
        let heads: Vec<&str> = differing.iter().map(|&setting| all[0][setting].0).collect();
        text.push_str(&format!(
            "What differs:\n\n| run | {} |\n|---|{}\n",
            heads.join(" | "),
            "---|".repeat(heads.len())
        ));
        for ((name, _), settings) in runs.iter().zip(&all) {
            let cells: Vec<String> = differing.iter().map(|&setting| plain(&settings[setting].1)).collect();
            text.push_str(&format!("| {} | {} |\n", plain(name), cells.join(" | ")));
        }
        text.push('\n');
    }
    let same: Vec<String> =
        same.iter().map(|&setting| format!("{}: {}", all[0][setting].0, plain(&all[0][setting].1))).collect();
    if !same.is_empty() {
        text.push_str(&format!("The same in all: {}.\n\n", same.join("; ")));
    }
    text
}

/// What the figures say.
fn statements(runs: &[(String, &Run)]) -> Vec<String> {
    let tests: Vec<(&str, &Run, &EpochRow)> =
        runs.iter().filter_map(|(name, run)| Some((name.as_str(), *run, run.epochs.last()?))).collect();
    let data = |run: &Run| run.data.fingerprint.clone();
    if tests.iter().any(|(_, run, _)| data(run) != data(tests[0].1)) {
        return vec!["The runs have different data: their figures say nothing of each other.".into()];
    }
    let mut sorted = tests.clone();
    sorted.sort_by(|a, b| b.2.test_accuracy.total_cmp(&a.2.test_accuracy));
    let mut sentences = Vec::new();
    if let [(best, run, row), (second, _, other), ..] = sorted[..] {
        let images = u64::from(run.data.test_images);
        let interval = wilson((row.test_accuracy * images as f64).round() as u64, images);
        let apart = row.test_accuracy - other.test_accuracy;
        let verdict =
            if other.test_accuracy < interval.start { "more than chance explains" } else { "which may be chance" };
        let whole = format!(
            "{} leave it between {} and {} (95 % confidence)",
            count(images, "test image"),
            percent(interval.start, 2),
            percent(interval.end, 2)
        );
        let tied = sorted.iter().take_while(|(_, _, other)| other.test_accuracy.total_cmp(&row.test_accuracy).is_eq());
        let tied: Vec<String> = tied.map(|(name, ..)| plain(name)).collect();
        sentences.push(if tied.len() > 1 {
            format!("{} have the highest test accuracy, {}; {whole}.", list(&tied), percent(row.test_accuracy, 2))
        } else {
            format!(
                "{} has the highest test accuracy, {}, {:.2} percentage points above {}: {verdict}, since {whole}.",
                plain(best),
                percent(row.test_accuracy, 2),
                100.0 * apart,
                plain(second)
            )
        });
    }
    let without_seed = |run: &Run| settings(run).into_iter().filter(|(name, _)| *name != "seed").collect::<Vec<_>>();
    let seeds: BTreeSet<u32> = tests.iter().map(|(_, run, _)| run.config.seed).collect();
    let alike = |(_, run, row): &(&str, &Run, &EpochRow)| {
        row.epoch == tests[0].2.epoch && without_seed(run) == without_seed(tests[0].1)
    };
    if tests.len() > 1 && seeds.len() == tests.len() && tests.iter().all(alike) {
        let figure = |of: fn(&EpochRow) -> f64| {
            let spread = Spread::of(&tests.iter().map(|test| of(test.2)).collect::<Vec<_>>());
            plus_minus(spread.mean, spread.standard_deviation.unwrap_or(0.0))
        };
        sentences.push(format!(
            "They differ in nothing but their seeds: test accuracy {} %, test loss {} (mean ± standard deviation).",
            figure(|row| 100.0 * row.test_accuracy),
            figure(|row| row.test_loss)
        ));
    }
    sentences
}

/// Names beside each other in the legend, and how high a line of it is.
const COLUMNS: usize = 3;
const LINE: f64 = 22.0;

fn figure(runs: &[(String, &Run)]) -> Result<Figure> {
    let epochs = 0.0..runs.iter().map(|(_, run)| last_epoch(run)).fold(0.0, f64::max);
    let below = LINE * runs.len().div_ceil(COLUMNS) as f64 + 20.0;
    Figure::draw([900, (720.0 + below) as u32], &format!("Loss and accuracy of {} runs", runs.len()), |area| {
        let (plots, key) = area.split_vertically(px(720.0));
        let panels = plots.split_evenly((2, 2));
        let curves = |of: &dyn Fn(&Run, usize) -> Curve| -> Vec<Curve> {
            runs.iter().enumerate().map(|(index, (_, run))| of(run, index)).collect()
        };
        let smooth = |run: &Run, color| {
            let [_, mean] = step_curves(run, color);
            mean
        };
        losses(&panels[0], "Training loss (nats)", epochs.clone(), &curves(&smooth))?;
        let test = |run: &Run, color| epoch_curve(run, color, false, |row| Some(row.test_loss));
        losses(&panels[1], "Test loss (nats)", epochs.clone(), &curves(&test))?;
        let images = runs.iter().map(|(_, run)| run.data.train_images.max(run.data.test_images)).max().unwrap_or(1);
        let accuracy = |during: bool| {
            move |run: &Run, color| {
                epoch_curve(run, color, during, |row| Some(if during { row.train_accuracy } else { row.test_accuracy }))
            }
        };
        accuracies(&panels[2], "Training accuracy", epochs.clone(), &curves(&accuracy(true)), images)?;
        accuracies(&panels[3], "Test accuracy", epochs, &curves(&accuracy(false)), images)?;
        let remarks = [
            "mean of a fiftieth of a run's steps",
            "after each epoch",
            "during each epoch; mistakes on a logarithmic axis",
            "after each epoch; mistakes on a logarithmic axis",
        ];
        panels.iter().zip(remarks).try_for_each(|(panel, remark)| note(panel, remark))?;
        legend(&key, runs)
    })
}

fn legend(area: &Area, runs: &[(String, &Run)]) -> Drawn {
    let style = text(13.0).pos(Pos::new(HPos::Left, VPos::Center));
    for (index, (name, _)) in runs.iter().enumerate() {
        let (x, y) = (30.0 + 290.0 * (index % COLUMNS) as f64, LINE * (index / COLUMNS) as f64 + 12.0);
        let line = vec![(px(x), px(y)), (px(x + 24.0), px(y))];
        let mark = stroke(color(index), 3.0);
        match dash(index) {
            None => area.draw(&PathElement::new(line, mark))?,
            Some(dash) => area.draw(&Dashed { points: line, style: mark, dash })?,
        }
        let name = if has(name) { name.clone() } else { format!("run {}", index + 1) };
        area.draw_text(&fitted(&name, &style, 250.0), &style, (px(x + 32.0), px(y)))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::tests::run;

    #[test]
    fn runs_that_differ_in_their_seeds_have_a_mean() {
        let runs: Vec<Run> = [0.96, 0.97, 0.98]
            .iter()
            .zip(1..)
            .map(|(&accuracy, seed)| {
                let mut run = run("mlp", &[[2.3, 0.1], [0.1, accuracy]]);
                run.config.seed = seed;
                run
            })
            .collect();
        let named: Vec<(String, &Run)> = runs.iter().map(|run| (format!("run-{}", run.config.seed), run)).collect();
        let said = statements(&named).join(" ");
        assert!(
            said.contains("run-3 has the highest test accuracy, 98.00 %, 1.00 percentage points above run-2"),
            "{said}"
        );
        // 98 of 100 is 96.9 to 98.7 % of 1,000: 97 % may be the same.
        assert!(said.contains("which may be chance"), "{said}");
        assert!(said.contains("test accuracy 97.0 ± 1.0 %"), "{said}");
        let table = differences(&named);
        assert!(
            table.contains("| run | seed |") && table.contains("The same in all: data: mnist (01234567)"),
            "{table}"
        );
    }

    #[test]
    fn runs_on_different_data_are_not_ranked() {
        let (first, mut second) = (run("mlp", &[[2.3, 0.1]]), run("mlp", &[[2.3, 0.9]]));
        second.data.fingerprint = "another".into();
        let said = statements(&[("a".into(), &first), ("b".into(), &second)]);
        assert!(said.len() == 1 && said[0].contains("different data"), "{said:?}");
    }

    #[test]
    fn folders_of_one_name_are_told_apart() {
        let runs = ["a/run", "b/run", "b/other"].map(|folder| (Path::new(folder), run("mlp", &[])));
        assert_eq!(names(&runs), ["a/run", "b/run", "other"]);
        assert!(report(&[("none".into(), &runs[0].1)]).contains("| none | mlp | 101,770 | 0 | –"));
    }
}
