//! `mnist-gpu models`: the presets, and what becomes of an image in them.

use super::Ending;
use super::output::{line, thousands};
use crate::Result;
use crate::data::dataset::CLASSES;
use crate::data::idx::SIDES;
use crate::model::{ModelSpec, PRESETS, Shape, Stage, defaults, load, preset};
use serde_json::json;

/// List the models, or show one layer by layer
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  mnist-gpu models                        all presets
  mnist-gpu models cnn                    one, layer by layer
  mnist-gpu models cnn --json > my.json   what train --model my.json takes")]
pub struct Args {
    /// A preset's name, or a JSON file of layers
    #[arg(value_name = "NAME|FILE.json")]
    model: Option<String>,
    /// Height and width of the images
    #[arg(long, value_name = "HxW", default_value = "28x28", value_parser = sides)]
    image: Shape,
    /// Number of classes
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = classes)]
    classes: u32,
    /// Print the layers as a model's file has them
    #[arg(long, requires = "model")]
    json: bool,
}

fn sides(text: &str) -> Result<Shape, String> {
    let side = |text: &str| text.parse().ok().filter(|side| SIDES.contains(side));
    let (height, width) = text.split_once(['x', '×']).ok_or("expected height and width, as 28x28")?;
    match (side(height), side(width)) {
        (Some(height), Some(width)) => Ok(Shape::picture(height, width)),
        _ => Err(format!("height and width are {} to {} pixels each", SIDES.start(), SIDES.end())),
    }
}

fn classes(text: &str) -> Result<u32, String> {
    let count: Option<usize> = text.parse().ok().filter(|count| CLASSES.contains(count));
    count.map(|count| count as u32).ok_or_else(|| format!("there are {} to {} classes", CLASSES.start(), CLASSES.end()))
}

pub(super) fn run(args: &Args) -> Result<Ending> {
    match &args.model {
        None => table(args)?,
        Some(name) => {
            let spec = load(name, args.classes)?;
            if args.json {
                line(&serde_json::to_string_pretty(&json!(spec)).expect("a model is plain data"))?;
            } else {
                show(&spec, args)?;
            }
        }
    }
    Ok(Ending::Success)
}

/// All presets as a table that Markdown takes, too.
fn table(args: &Args) -> Result<()> {
    line("| model | layers | parameters | MFLOP an image | defaults |")?;
    line("|---|---|---:|---:|---|")?;
    for name in PRESETS {
        let spec = preset(name, args.classes).expect("a preset's name");
        let (parameters, flops) = match spec.stages(args.image, args.classes) {
            Ok(stages) => {
                let flops: u64 = stages.iter().map(Stage::flops).sum();
                (thousands(stages.iter().map(Stage::parameter_count).sum()), format!("{:.2}", flops as f64 / 1e6))
            }
            Err(_) => ("does not fit".into(), "–".into()),
        };
        let defaults = defaults(spec.clone()).summary();
        line(&format!("| {name} | {spec} | {parameters} | {flops} | {defaults} |"))?;
    }
    Ok(())
}

fn show(spec: &ModelSpec, args: &Args) -> Result<()> {
    let stages = spec.stages(args.image, args.classes)?;
    line(&format!("{}: {spec}\n", spec.name))?;
    line(&format!("{:<10}{:>14}{:>14}{:>14}", "stage", "output", "parameters", "FLOP"))?;
    line(&format!("{:<10}{:>14}{:>14}{:>14}", "image", args.image.to_string(), "", ""))?;
    for stage in &stages {
        let (output, count, flops) = (stage.output().to_string(), stage.parameter_count(), stage.flops());
        line(&format!("{:<10}{output:>14}{:>14}{:>14}", stage.name(), thousands(count), thousands(flops)))?;
    }
    let total = |count: fn(&Stage) -> u64| thousands(stages.iter().map(count).sum());
    line(&format!("{:<10}{:>14}{:>14}{:>14}", "all", "", total(Stage::parameter_count), total(Stage::flops)))?;
    line("\nA stage is a layer with the ReLU and the max-pool behind it; FLOP count an image's way forwards.")?;
    line(&format!("Defaults: {}", defaults(spec.clone()).summary()))
}
