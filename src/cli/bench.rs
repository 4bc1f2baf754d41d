//! `mnist-gpu bench`: how fast the devices of this machine are.

use super::options::DataArgs;
use super::output::{line, thousands};
use super::{Ending, Talk};
use crate::Result;
use crate::bench::{Effort, Found, KernelRow, Peaks, Settings, StepRow, Target, WORKLOADS, Workload, bench};
use crate::cpu::Cpu;
use crate::data::Part;
use crate::device::{DeviceInfo, Request, choose};
use crate::gpu::{Adapter, Gpu, adapters};
use crate::model::PRESETS;
use std::num::NonZeroUsize;

/// Measure how fast the devices of this machine are
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Of each device: what it can do at best; each kernel of the models' training steps by itself, in every variant, with its
share of that; whole steps of training and inference. Figures are medians; nothing else should run meanwhile.

Examples:
  mnist-gpu bench                               every device of this machine, in full
  mnist-gpu bench --quick --device cpu          a first look at one
  mnist-gpu bench --only steps --model mlp --model lenet --device vulkan")]
pub struct Args {
    /// all, or a device as elsewhere; several are measured one after another
    #[arg(long, value_name = "DEVICE", default_value = "all", env = "MNIST_GPU_DEVICE", hide_env_values = true)]
    device: Vec<String>,
    /// Threads of the CPU device [default: as many as the process may use]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    threads: Option<NonZeroUsize>,
    /// Few and short samples
    #[arg(long)]
    quick: bool,
    /// One part only; several are several
    #[arg(long, value_enum, value_name = "PART")]
    only: Vec<Only>,
    /// One model only; several are several
    #[arg(long, value_parser = PRESETS)]
    model: Vec<String>,
    /// Train with this batch instead of those that other programs are measured with
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    batch_size: Option<u32>,
    #[command(flatten)]
    data: DataArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Only {
    /// Kernels by themselves
    Kernels,
    /// Whole steps
    Steps,
}

impl Args {
    fn settings(&self) -> Settings {
        let part = |part: Only| self.only.is_empty() || self.only.contains(&part);
        let mut workloads: Vec<Workload> = WORKLOADS
            .into_iter()
            .filter(|workload| self.model.is_empty() || self.model.iter().any(|model| model == workload.model))
            .map(|workload| Workload { batch: self.batch_size.unwrap_or(workload.batch), ..workload })
            .collect();
        workloads.dedup();
        Settings {
            workloads,
            kernels: part(Only::Kernels),
            steps: part(Only::Steps),
            effort: if self.quick { Effort::QUICK } else { Effort::FULL },
        }
    }
}

pub(super) fn run(args: &Args, talk: Talk) -> Result<Ending> {
    let data = args.data.load(Part::All)?;
    let settings = args.settings();
    let mut table = Table { talk, heading: None };
    for target in targets(args)? {
        bench(&target, &data, &settings, &mut |found| table.row(&found))?;
    }
    Ok(Ending::Success)
}

/// The devices to measure: of `all`, the CPU and every adapter.
fn targets(args: &Args) -> Result<Vec<Target>> {
    let requests: Vec<Option<Request>> = args
        .device
        .iter()
        .map(|text| if text.eq_ignore_ascii_case("all") { None } else { text.parse().ok() })
        .collect();
    let no_adapter = requests.iter().all(|request| *request == Some(Request::Cpu));
    let found = if no_adapter { Vec::new() } else { adapters() };
    let infos: Vec<&DeviceInfo> = found.iter().map(Adapter::info).collect();
    let mut places = Vec::new();
    for request in &requests {
        match request {
            None => places.extend(std::iter::once(None).chain((0..found.len()).map(Some))),
            Some(request) => places.push(choose(request, &infos)?.adapter),
        }
    }
    let open = |place: Option<usize>| {
        if let Some(index) = place {
            return Gpu::open(&found[index], false).map(Target::Gpu);
        }
        let threads = args.threads.or_else(|| std::thread::available_parallelism().ok());
        Ok(Target::Cpu { cpu: Cpu::new(threads)?, threads: threads.map_or(1, NonZeroUsize::get) })
    };
    places.into_iter().map(open).collect()
}

/// The tables as they grow on the terminal.
struct Table {
    talk: Talk,
    heading: Option<&'static str>,
}

impl Table {
    fn row(&mut self, found: &Found) -> Result<()> {
        if self.talk.quiet {
            return Ok(());
        }
        match found {
            Found::Device(info) => {
                self.heading = None;
                line(&format!("{info}"))
            }
            Found::Peaks(peaks) => line(&peaks_line(peaks)),
            Found::Kernel(row) => {
                self.heading(
                    "\nop and shape                                            kernel                             time   GFLOP/s    GB/s",
                )?;
                line(&kernel_line(row))
            }
            Found::Step(row) => {
                self.heading(
                    "\nworkload            step             time            images/s   spread   dispatches   idle",
                )?;
                line(&step_line(row))
            }
        }
    }

    fn heading(&mut self, text: &'static str) -> Result<()> {
        if self.heading.replace(text) == Some(text) { Ok(()) } else { line(text) }
    }
}

fn peaks_line(peaks: &Peaks) -> String {
    let dispatch = peaks
        .dispatch
        .as_ref()
        .map_or(String::new(), |figure| format!(", {} for an empty dispatch", time(figure.median)));
    format!("at best {:.1} GFLOP/s, {:.1} GB/s{dispatch}", peaks.flops.median / 1e9, peaks.bytes.median / 1e9)
}

fn kernel_line(row: &KernelRow) -> String {
    let rate = |amount: f64| {
        if amount > 0.0 { format!("{:.2}", amount / row.seconds.median / 1e9) } else { "–".into() }
    };
    let kernel = format!("{}{}", if row.chosen { "" } else { "  " }, row.kernel);
    format!(
        "{:<55} {kernel:<32} {:>9} {:>8} {:>7}",
        row.op,
        time(row.seconds.median),
        rate(row.work.flops),
        rate(row.work.bytes)
    )
}

fn step_line(row: &StepRow) -> String {
    let StepRow { workload, kind, seconds, images_per_second, dispatches, idle, .. } = row;
    let spread = (seconds.high - seconds.low) / seconds.median;
    let idle = idle.map_or("–".into(), |idle| format!("{:.0} %", 100.0 * idle));
    format!(
        "{workload:<19} {kind:<12} {:>9} {:>19} {:>6.1} % {dispatches:>12} {idle:>6}",
        time(seconds.median),
        thousands(images_per_second.median as u64),
        100.0 * spread
    )
}

/// Seconds in the unit that suits them.
fn time(seconds: f64) -> String {
    match seconds {
        _ if seconds < 1e-3 => format!("{:.1} µs", 1e6 * seconds),
        _ if seconds < 1.0 => format!("{:.2} ms", 1e3 * seconds),
        _ => format!("{seconds:.2} s"),
    }
}
