use super::figures::Verdict;
use super::*;
use crate::device::DeviceInfo;
use crate::gpu::kernels::Tuning;
use crate::model::{defaults, preset};
use crate::power_law::Fit;
use crate::run::{DataInfo, Run, Status, VERSION};
use crate::study::Cell;
use crate::trainer::EpochRow;

/// A cell that came to these losses and accuracies on the test images; none is one that diverged.
fn run(train_size: u32, seed: u32, score: Option<(f64, f64)>) -> Run {
    let mut config = defaults(preset("mlp", 10).expect("a preset"));
    (config.train_size, config.seed) = (Some(train_size), seed);
    let row = |(test_loss, test_accuracy)| EpochRow {
        epoch: config.epochs,
        train_loss: test_loss / 2.0,
        train_accuracy: test_accuracy,
        test_loss,
        test_accuracy,
        validation_loss: None,
        validation_accuracy: None,
        learning_rate: Some(0.01),
        images_per_second: Some(1e4),
        seconds: Some(f64::from(train_size) / 1e4),
    };
    let data = DataInfo {
        name: "mnist".into(),
        fingerprint: "0".into(),
        height: 28,
        width: 28,
        classes: (0..10).map(|class| class.to_string()).collect(),
        train_images: train_size,
        validation_images: 0,
        test_images: 10_000,
    };
    let device =
        DeviceInfo { name: "CPU".into(), backend: "cpu".into(), kind: "cpu".into(), driver: "AVX2, 2 threads".into() };
    Run {
        version: VERSION.into(),
        status: if score.is_some() { Status::Complete } else { Status::Diverged },
        data,
        data_dir: None,
        init: None,
        device,
        device_reason: String::new(),
        moved: false,
        kernels: Vec::new(),
        tuning: Tuning::new(),
        parameters: 101_770,
        epochs: score.map(row).into_iter().collect(),
        step_losses: Vec::new(),
        config,
    }
}

/// The figures of sizes with the losses of their seeds; the accuracy is 1 less half the loss.
fn figures(sizes: &[(u32, &[f64])]) -> Figures {
    let cells = sizes.iter().flat_map(|(size, losses)| {
        losses.iter().zip(1..).map(move |(loss, seed)| run(*size, seed, Some((*loss, (1.0 - loss / 2.0).max(0.0)))))
    });
    Figures::of(&cells.collect::<Vec<_>>()).expect("cells that came to their end")
}

#[track_caller]
fn says(figures: &Figures, sentences: &[&str]) {
    let text = statements(figures).join("\n");
    for sentence in sentences {
        assert!(text.contains(sentence), "{sentence:?} is missing in\n{text}");
    }
}

const FALLING: [(u32, &[f64]); 3] =
    [(1_200, &[0.31, 0.29, 0.30]), (12_000, &[0.10, 0.11, 0.12]), (60_000, &[0.05, 0.052, 0.048])];

#[test]
fn a_study_where_more_data_helped_says_how_much_each_step_bought() {
    let figures = figures(&FALLING);
    assert_eq!(figures.steps.iter().map(|step| step.verdict).collect::<Vec<_>>(), [Verdict::Fell; 2]);
    says(
        &figures,
        &[
            "**More data helped at every step,**",
            "**1,200 → 12,000 images** (10 times as many): the test loss fell by 0.190 ± 0.023, from 0.300 to 0.110, 26 % less \
             for each doubling; the accuracy rose by 9.5 ± 1.1 points, from 85.00 % to 94.50 %.",
            "**12,000 → 60,000 images** (5 times as many): the test loss fell by 0.060 ± 0.0",
            "from 1,200 to 60,000 images, the loss fell by 0.250 ± 0.0",
            "76 % by going up to 12,000 and 24 % by going up to 60,000",
            "none is fitted, for it takes at least 4 sizes, not 3",
            // 1.96 · √(0.975 · 0.025 / 10,000) is 0.31; Wilson's interval has its middle nearer to one half.
            "with an accuracy of 97.50 % on 10,000, that on all images of their kind lies between 97.18 % and 97.79 %",
        ],
    );
}

#[test]
fn a_study_where_more_data_did_not_help_says_so() {
    let flat = figures(&[(100, &[0.30, 0.32, 0.28]), (1_000, &[0.29, 0.31, 0.30])]);
    assert_eq!(flat.steps[0].verdict, Verdict::Unclear);
    says(
        &flat,
        &[
            "**More data did not help:**",
            "1,000 images made no difference that is more than chance",
            "a change of +0.000 ± 0.0",
        ],
    );
    let worse = figures(&[(100, &[0.30, 0.32, 0.28]), (1_000, &[0.60, 0.61, 0.62])]);
    assert_eq!(worse.steps[0].verdict, Verdict::Rose);
    says(
        &worse,
        &["**More data did not help:**", "Going up to 1,000 images made it worse", "the test loss rose by 0.310 ± "],
    );
    // Each step within the spread, and all together not.
    let slowly = figures(&[(100, &[0.30, 0.32, 0.28]), (200, &[0.28, 0.30, 0.26]), (400, &[0.26, 0.24, 0.22])]);
    assert_eq!(slowly.overall.as_ref().map(|step| step.verdict), Some(Verdict::Fell));
    says(
        &slowly,
        &["**More data helped in all,** but no single step", "**In all,** from 100 to 400 images, the loss fell"],
    );
    let early = figures(&[(100, &[0.30, 0.32, 0.28]), (1_000, &[0.29, 0.31, 0.30]), (9_000, &[0.1])]);
    says(
        &early,
        &[
            "**Whether more data helped is open:**",
            "Going up to 9,000 images cannot be judged: a size has a single run",
        ],
    );
    let mixed = figures(&[FALLING[0], FALLING[1], (60_000, &[0.11, 0.12, 0.10])]);
    says(&mixed, &["**More data helped at 1 of 2 steps.** Going up to 60,000 images made no difference"]);
    for study in [&flat, &worse, &mixed] {
        assert!(!statements(study).join(" ").contains("at every step"));
    }
}

#[test]
fn single_seeds_and_sizes_claim_nothing() {
    let single = figures(&[(100, &[0.3]), (1_000, &[0.1])]);
    says(&single, &["whether by more than chance is open", "the test loss fell by 0.200, from 0.300 to 0.100"]);
    let one = figures(&[(100, &[0.3, 0.4])]);
    says(&one, &["**One size says nothing about more data.**"]);
    assert_eq!((one.steps.len(), &one.overall), (0, &None));
}

#[test]
fn a_power_law_is_given_with_its_errors_where_there_are_four_sizes() {
    let sizes = [1_000, 4_000, 16_000, 64_000];
    let losses = sizes.map(|size| [0.97, 1.02, 1.01].map(|noise| noise * (30.0 * f64::from(size).powf(-0.7) + 0.01)));
    let cells: Vec<(u32, &[f64])> = sizes.iter().copied().zip(losses.iter().map(|losses| &losses[..])).collect();
    let study = figures(&cells);
    assert!(matches!(study.power_law, Fit::Determined(_)), "{:?}", study.power_law);
    says(
        &study,
        &[
            "*b* = 0.70",
            "Standard errors: *a* by a factor of 1.",
            "9 degrees of freedom",
            "images alone do not bring the loss below about 0.0",
        ],
    );
    says(&study, &["Twice the largest size, 128,000 images, would have a loss of 0.01"]);
    let flat = figures(&sizes.map(|size| (size, &[0.30, 0.32, 0.28][..])));
    says(&flat, &["**Power law:** none is fitted, for the loss does not fall"]);
}

#[test]
fn what_is_missing_or_diverged_is_said() {
    let runs = [run(100, 1, Some((0.3, 0.9))), run(100, 2, Some((0.4, 0.9))), run(900, 1, None)];
    let figures = Figures::of(&runs).expect("some came to their end");
    assert_eq!(figures.missing, [Cell { train_size: 900, seed: 2 }]);
    assert_eq!(figures.sizes.iter().map(|row| row.train_size).collect::<Vec<_>>(), [100]);
    says(&figures, &["**Diverged:** 1 cell (900 images with seed 1)", "**Not there yet:** 900 images with seed 2."]);
    assert!(csv::csv(&figures).contains("\n900,1,,,,,0,"), "{}", csv::csv(&figures));
    assert_eq!(Figures::of(&[run(900, 1, None)]), None);
    assert_eq!(Figures::of(&[]), None);
}

#[test]
fn every_study_can_be_drawn() {
    let studies = [
        figures(&FALLING),
        figures(&[(1, &[2.3])]),
        figures(&[(59_999, &[0.0]), (60_000, &[0.0, 0.0])]),
        figures(&[(10, &[1e8, 1e-8]), (4_000_000_000, &[0.5])]),
        figures(&[(10, &[0.3, 0.3, 0.3]), (20, &[0.3, 0.3, 0.3])]),
        Figures::of(&[run(100, 1, Some((0.3, 1.0))), run(900, 1, None)]).expect("one came to its end"),
    ];
    for study in &studies {
        let figure = plot::draw(study).expect("drawn");
        assert!(figure.png().expect("a PNG").starts_with(b"\x89PNG"));
        assert!(figure.svg().expect("an SVG").starts_with("<svg"), "{:?}", figure.svg());
    }
}

#[test]
fn the_report_is_whole() {
    let text = markdown::markdown(&figures(&FALLING));
    for part in [
        "# Test loss against training-set size: mlp on mnist",
        "![Test loss and accuracy against the number of training images](training_performance.png)",
        "| 1,200 | 3 | 50 | 0.300 ± 0.010 | 85.00 ± 0.50 |",
        "ln 10 = 2.303",
        "0.0500 at 60,000 images, says that the right class was given 95.1 %",
        "fewer steps (50 to 2,345)",
        "mnist-gpu study --model mlp --sizes 1200,12000,60000 --seeds 3\n",
    ] {
        assert!(text.contains(part), "{part:?} is missing in\n{text}");
    }
    // A table has as many cells in every row.
    let rows: Vec<usize> =
        text.lines().filter(|line| line.starts_with('|')).map(|line| line.matches('|').count()).collect();
    assert_eq!(rows, [9; 5]);
}
