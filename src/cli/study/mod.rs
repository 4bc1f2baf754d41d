//! `mnist-gpu study`: how much data a model needs.

mod session;

use super::configuration::ConfigArgs;
use super::options::{DataArgs, DeviceArgs};
use super::runs::plain;
use super::{Ending, Talk, signals};
use crate::Result;
use crate::data::Part;
use crate::device::open;
use crate::model::Shape;
use crate::study::{Share, Study, cells, default_sizes};
use session::Session;
use std::path::PathBuf;

/// Train on more and more images with several seeds, and report how the test loss falls
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A study is a folder of cells, one training run for each size and seed, all tested on every test image. The \
command runs the cells that are missing and writes a report of those that are there: training_performance.png and \
.svg, study.md, study.csv, study.json. So a study that was interrupted goes on, one is extended by other --sizes or \
more --seeds, and several are merged by copying their cells into one folder, all with the same command.

Examples:
  mnist-gpu study                                    three sizes, 3 seeds each
  mnist-gpu study --model mlp --sizes 600,1200,2400,4800 --seeds 10
  mnist-gpu study --data-dir fashion --out studies/fashion
  mnist-gpu study --out /shared/study --cell 2/9     the second of nine shares
  mnist-gpu study --out /shared/study --cell array   an array task's share
  seq 9 | parallel mnist-gpu study --out study --threads 1 --cell {}/9")]
pub struct Args {
    /// Numbers of training images [default: a fiftieth, a fifth and all of them: 1200,12000,60000 of MNIST]
    #[arg(long, value_name = "N,…", value_delimiter = ',', allow_negative_numbers = true)]
    sizes: Vec<u32>,
    /// Run each size with the seeds 1 to N
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value_t = 3)]
    seeds: u32,
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    device: DeviceArgs,
    /// The study's folder [default: studies/ and the model's name]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Run only share K of N of the cells; `array` is the share that Slurm or AWS Batch give a task of an array job
    #[arg(long, value_name = "K/N|array", allow_hyphen_values = true)]
    cell: Option<Share>,
    /// Print one JSON object a line instead of the table
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, talk: Talk) -> Result<Ending> {
    let signal = signals::watch()?;
    // What is wrong whatever the data and their classes are is said before they are read.
    cells(&args.sizes, args.seeds, u32::MAX)?;
    args.config.config(1)?;
    let data = args.data.load(Part::All)?;
    let config = args.config.config(data.classes.len() as u32)?;
    config.model.stages(Shape::picture(data.height, data.width), data.classes.len() as u32)?;
    let available = data.train.len() as u32;
    let sizes = if args.sizes.is_empty() { default_sizes(available) } else { args.sizes.clone() };
    let all = cells(&sizes, args.seeds, available)?;
    let mine = args.cell.map_or_else(|| all.clone(), |share| share.deal(&all));
    let folder = args.out.clone().unwrap_or_else(|| PathBuf::from("studies").join(plain(&config.model.name)));
    let study = Study::new(&folder, config, &data);
    // Before a device is opened: what is there already may be a study of other settings.
    let there = study.load()?.len();
    let (device, choice) = open(&args.device.request(), args.device.threads)?;
    study.prepare()?;
    let mut session = Session {
        study: &study,
        data: &data,
        data_dir: args.data.folder(),
        device: &*device,
        why: &choice.why,
        all: &all,
        mine: &mine,
        share: args.cell,
        talk,
        json: args.json,
    };
    let result = session.announce(there).and_then(|()| session.run(&signal));
    if result.is_err() {
        study.remove_if_empty();
    }
    result
}
