//! `mnist-gpu bench`: how fast the devices of this machine are.

use super::options::DataArgs;
use super::output::{line, thousands};
use super::{Ending, Talk};
use crate::Error;
use crate::Result;
use crate::bench::{
    Bench, Comparison, Effort, FORMAT, Found, KernelRow, Peaks, ProcessRow, Settings, Starter, StepRow, Target,
    WORKLOADS, Workload, bench, first_steps, tuning,
};
use crate::cpu::Cpu;
use crate::data::Part;
use crate::device::{Device, DeviceInfo, Request, choose};
use crate::gpu::{Adapter, Gpu, adapters, tuning as tuning_file};
use crate::model::PRESETS;
use crate::report::bench::{JSON_FILE, MARKDOWN_FILE, read, write};
use crate::report::command::quoted;
use crate::run::VERSION;
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// Measure how fast the devices of this machine are
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Of each device: what it can do at best; each kernel of the models' training steps by itself, in every \
variant, with its share of that; whole steps of training and inference; fresh processes to their first steps. \
Figures are medians; nothing else should run meanwhile.

Examples:
  mnist-gpu bench                               every device, in full
  mnist-gpu bench --quick --device cpu          a first look at one
  mnist-gpu bench --only steps --model mlp --model lenet --device vulkan
  mnist-gpu bench --device 0 --save-tuning      keep the fastest kernels
  mnist-gpu bench --out before                  bench.md, bench.png, bench.json
  mnist-gpu bench --compare before/bench.json   fail where it takes 10 % longer")]
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
    /// Do the first steps of this workload, and say when: what a benchmark starts, and times
    #[arg(long, hide = true, value_name = "WORKLOAD")]
    first_steps: Option<String>,
    /// Train with this batch instead of those that other programs are measured with
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    batch_size: Option<u32>,
    /// Write tables, plot and figures (bench.md, bench.png, bench.json) into this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Keep, for each adapter, which kernels were measured to be faster than its usual ones; training takes these from then on
    #[arg(long)]
    save_tuning: bool,
    /// Compare with the bench.json of another time, and fail where something takes longer
    #[arg(long, value_name = "BENCH.json")]
    compare: Option<PathBuf>,
    /// By which share something may take longer than then
    #[arg(long, value_name = "SHARE", requires = "compare", default_value_t = 0.1)]
    tolerance: f64,
    #[command(flatten)]
    data: DataArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Only {
    /// Kernels by themselves
    Kernels,
    /// Whole steps
    Steps,
    /// Fresh processes: to their first step, to 100 steps, to the weights of an epoch of `cnn` on disk
    Processes,
}

impl Args {
    /// The command line that measures the same.
    fn command(&self) -> String {
        let mut words = vec!["mnist-gpu bench".to_owned()];
        words.extend(
            self.device.iter().filter(|device| *device != "all").map(|device| format!("--device {}", quoted(device))),
        );
        words.extend(self.threads.map(|threads| format!("--threads {threads}")));
        words.extend(self.quick.then(|| "--quick".into()));
        words.extend(self.only.iter().map(|part| format!("--only {part:?}").to_lowercase()));
        words.extend(self.model.iter().map(|model| format!("--model {model}")));
        words.extend(self.batch_size.map(|batch| format!("--batch-size {batch}")));
        words.extend(self.save_tuning.then(|| "--save-tuning".into()));
        words.extend(self.data.folder().map(|folder| format!("--data-dir {}", quoted(&folder))));
        words.join(" ")
    }

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
            processes: part(Only::Processes),
            effort: if self.quick { Effort::QUICK } else { Effort::FULL },
        }
    }
}

pub(super) fn run(args: &Args, talk: Talk) -> Result<Ending> {
    if args.tolerance.is_nan() || args.tolerance < 0.0 {
        return Err(Error::Usage(format!(
            "--tolerance is a share of at least 0 (0.1 is 10 %), not {}",
            args.tolerance
        )));
    }
    if args.save_tuning && !args.only.is_empty() && !args.only.contains(&Only::Kernels) {
        return Err(Error::Usage("--save-tuning needs the times of the kernels: add --only kernels".into()));
    }
    if let Some(name) = &args.first_steps {
        return child(name, args);
    }
    // What cannot be read or written is said before minutes are spent.
    let old = args.compare.as_deref().map(read).transpose()?;
    if let (Some(path), Some(old)) = (&args.compare, &old)
        && old.quick != args.quick
    {
        return Err(Error::Usage(format!(
            "{} was measured {} --quick: the figures of this run would differ by their effort. Measure {} it",
            path.display(),
            if old.quick { "with" } else { "without" },
            if old.quick { "with" } else { "without" }
        )));
    }
    if let Some(folder) = args.out.as_deref().filter(|folder| folder.join(JSON_FILE).exists()) {
        return Err(Error::Usage(format!("{} has a {JSON_FILE} already; name another folder", folder.display())));
    }
    let data = args.data.load(Part::All)?;
    let settings = args.settings();
    let mut table = Table { talk, heading: None };
    let mut found = Bench { format: FORMAT, version: VERSION.into(), quick: args.quick, devices: Vec::new() };
    let targets = targets(args)?;
    if args.save_tuning {
        let adapters: Vec<&Gpu> = targets.iter().filter_map(|(target, _)| target.gpu()).collect();
        if adapters.is_empty() {
            return Err(Error::Usage("--save-tuning is for adapters: the CPU has one kernel for each op".into()));
        }
        adapters.into_iter().try_for_each(|gpu| tuning_file::place(gpu.info()).map(drop))?;
    }
    for (target, starter) in targets {
        found.devices.push(bench(&target, &starter, &data, &settings, &mut |found| table.row(&found))?);
        // After each device: what is measured is not lost when the next one fails.
        if let Some(folder) = &args.out {
            write(&found, &args.command(), folder)?;
        }
        if let (Some(gpu), Some(device), true) = (target.gpu(), found.devices.last(), args.save_tuning) {
            save_tuning(gpu, &device.kernels, talk)?;
        }
    }
    if let Some(folder) = &args.out
        && !talk.quiet
    {
        line(&format!("\nSaved {}", folder.join(MARKDOWN_FILE).display()))?;
    }
    old.map_or(Ok(Ending::Success), |old| compare(&Comparison::of(&old, &found), args.tolerance, talk))
}

/// Keeps what was found about an adapter's kernels beside what was known of others.
fn save_tuning(gpu: &Gpu, rows: &[KernelRow], talk: Talk) -> Result<()> {
    let mut kept = gpu.tuning();
    kept.retain(|op, _| rows.iter().all(|row| row.op != *op));
    let usual = gpu.profile().class;
    let found = tuning(rows, usual);
    if !talk.quiet {
        line("")?;
        for (op, class) in &found {
            line(&format!("{op}: the kernel for {} adapters from now on", class.name()))?;
        }
        if found.is_empty() {
            line(&format!("The usual kernels of {} adapters are the fastest here", usual.name()))?;
        }
    }
    kept.extend(found);
    let path = tuning_file::save(gpu.info(), &kept)?;
    if talk.quiet { Ok(()) } else { line(&format!("Saved {}", path.display())) }
}

/// Prints how many times as fast each row is; a failure where one takes longer than it may.
fn compare(comparison: &Comparison, tolerance: f64, talk: Talk) -> Result<Ending> {
    let mut device = None;
    for change in comparison.changes.iter().filter(|change| !talk.quiet || change.is_slower(tolerance)) {
        if device.replace(&change.device) != Some(&change.device) {
            line(&format!("\n{}\n{:<75} {:>9} {:>9} {:>7}", change.device, "compared", "then", "now", "ratio"))?;
        }
        let [then, now] = change.seconds.map(time);
        let remark = if change.is_slower(tolerance) { "  slower" } else { "" };
        line(&format!("{:<75} {then:>9} {now:>9} {:>6.2}×{remark}", change.what, change.speedup()))?;
    }
    for (rows, where_from) in [(&comparison.gone, "then"), (&comparison.added, "now")] {
        if !rows.is_empty() && !talk.quiet {
            line(&format!("\nMeasured only {where_from}:\n  {}", rows.join("\n  ")))?;
        }
    }
    if comparison.changes.is_empty() {
        return Err(Error::Usage("--compare: the two benchmarks have no row in common".into()));
    }
    let slower = comparison.changes.iter().filter(|change| change.is_slower(tolerance)).count();
    if slower > 0 {
        line(&format!("\n{slower} of {} take over {:.0} % longer", comparison.changes.len(), 100.0 * tolerance))?;
        return Ok(Ending::Failure);
    }
    Ok(Ending::Success)
}

/// The process that [`Starter`] times: says each milestone as it is reached.
fn child(name: &str, args: &Args) -> Result<Ending> {
    let data = args.data.load(Part::All)?;
    let workloads = args.settings().workloads;
    let workload = workloads.iter().find(|workload| workload.name() == name);
    let workload = workload.ok_or_else(|| Error::Usage(format!("--first-steps: there is no workload {name:?}")))?;
    for (target, _) in targets(args)? {
        first_steps(target.device(), &data, workload, &mut |milestone| line(milestone.name()))?;
    }
    Ok(Ending::Success)
}

/// The devices to measure, and how a process on each is started: of `all`, the CPU and every adapter.
fn targets(args: &Args) -> Result<Vec<(Target, Starter)>> {
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
        let target = if let Some(index) = place {
            Target::Gpu(Gpu::open(&found[index], false)?.with_user_folder())
        } else {
            let threads = args.threads.or_else(|| std::thread::available_parallelism().ok());
            Target::Cpu { cpu: Cpu::new(threads)?, threads: threads.map_or(1, NonZeroUsize::get) }
        };
        Ok((target, starter(args, place)?))
    };
    places.into_iter().map(open).collect()
}

fn starter(args: &Args, place: Option<usize>) -> Result<Starter> {
    let mut options = vec!["--device".into(), place.map_or("cpu".into(), |index| index.to_string())];
    options.extend(args.threads.iter().flat_map(|threads| ["--threads".into(), threads.to_string()]));
    options.extend(args.data.folder().into_iter().flat_map(|folder| ["--data-dir".into(), folder]));
    let program = std::env::current_exe().map_err(Error::io("find", "this program"))?;
    Ok(Starter { program, options })
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
            Found::Process(row) => {
                self.heading("\nworkload            process to           time    spread   test accuracy")?;
                line(&process_line(row))
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

fn process_line(row: &ProcessRow) -> String {
    let ProcessRow { workload, kind, seconds, test_accuracy } = row;
    let spread = (seconds.high - seconds.low) / seconds.median;
    let accuracy = test_accuracy.map_or("–".into(), |accuracy| format!("{:.2} %", 100.0 * accuracy));
    format!("{workload:<19} {kind:<12} {:>12} {:>7.1} % {accuracy:>15}", time(seconds.median), 100.0 * spread)
}

/// Seconds in the unit that suits them.
fn time(seconds: f64) -> String {
    match seconds {
        _ if seconds < 1e-3 => format!("{:.1} µs", 1e6 * seconds),
        _ if seconds < 1.0 => format!("{:.2} ms", 1e3 * seconds),
        _ => format!("{seconds:.2} s"),
    }
}
