//! `mnist-gpu check`: whether a device computes what it should.

use super::output::line;
use super::{Ending, Talk};
use crate::check::{OpVerdict, check, first_divergence};
use crate::cpu::Cpu;
use crate::device::{Device, DeviceInfo, Request, choose};
use crate::gpu::{Adapter, Gpu, adapters};
use crate::program::Op;
use crate::{Error, Result};
use serde_json::json;
use std::convert::Infallible;
use std::str::FromStr;

/// Run every op on a device and on the CPU, and compare
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Of each op it prints how many numbers were compared, the worst error with its bound, and the verdict. \
The exit code is 1 if any op is beyond its bound; the first such op is named.

Examples:
  mnist-gpu check                   every adapter of this machine
  mnist-gpu check --device vulkan
  mnist-gpu check --seed 7 --json   other shapes and numbers; an object a line")]
pub struct Args {
    /// all, or a device as elsewhere
    #[arg(long, value_name = "DEVICE", default_value = "all", env = "MNIST_GPU_DEVICE", hide_env_values = true)]
    device: Which,
    /// Seed of the random shapes and numbers
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u32,
    /// Print one JSON object a line instead
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Debug)]
enum Which {
    All,
    One(Request),
}

impl FromStr for Which {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        // An empty MNIST_GPU_DEVICE is none.
        if text.is_empty() || text.eq_ignore_ascii_case("all") { Ok(Self::All) } else { text.parse().map(Self::One) }
    }
}

pub(super) fn run(args: &Args, talk: Talk) -> Result<Ending> {
    let mut failed = Vec::new();
    for device in devices(&args.device)? {
        let info = device.info().clone();
        if !args.json && !talk.quiet {
            line(&format!(
                "{info}\n{:<26}{:>7}{:>12}{:>13}{:>13}   verdict",
                "op", "cases", "numbers", "worst error", "bound"
            ))?;
        }
        let mut result = Ok(());
        let verdicts = check(&*device, args.seed, &mut |verdict| {
            if result.is_ok() {
                result = tell(verdict, &info, args, talk);
            }
        })?;
        result?;
        if let Some(first) = first_divergence(&verdicts) {
            failed.push(format!("{info}: {first}"));
        }
        if !args.json && !talk.quiet {
            line("")?;
        }
    }
    if failed.is_empty() {
        return Ok(Ending::Success);
    }
    Err(Error::Device(format!(
        "a device does not agree with the CPU; the first op to diverge is\n  {}",
        failed.join("\n  ")
    )))
}

/// The adapters to check; the CPU itself only by name.
fn devices(which: &Which) -> Result<Vec<Box<dyn Device>>> {
    let found = if matches!(which, Which::One(Request::Cpu)) { Vec::new() } else { adapters() };
    let infos: Vec<&DeviceInfo> = found.iter().map(Adapter::info).collect();
    let places = match which {
        Which::One(request) => {
            let choice = choose(request, &infos)?;
            if choice.adapter.is_none() && *request == Request::Auto {
                return Err(Error::Device(format!(
                    "there is nothing to check: {}. --device all checks every adapter, --device software the best of those \
                     that execute shaders on the CPU",
                    choice.why
                )));
            }
            vec![choice.adapter]
        }
        Which::All if found.is_empty() => {
            // The error of a request that cannot be met says how to get an adapter.
            return choose(&Request::Software, &infos).map(|_| Vec::new());
        }
        Which::All => (0..found.len()).map(Some).collect(),
    };
    let open = |place: Option<usize>| -> Result<Box<dyn Device>> {
        Ok(match place {
            Some(index) => Box::new(Gpu::open(&found[index], false)?.with_user_folder()),
            None => Box::new(Cpu::new(None)?),
        })
    };
    places.into_iter().map(open).collect()
}

fn tell(verdict: &OpVerdict, info: &DeviceInfo, args: &Args, talk: Talk) -> Result<()> {
    if args.json {
        return line(&json!({ "device": info, "verdict": verdict }).to_string());
    }
    if talk.quiet {
        return Ok(());
    }
    debug_assert!(Op::NAMES.contains(&verdict.op.as_str()));
    let (error, bound) = verdict
        .worst
        .as_ref()
        .map_or(("0".into(), "–".into()), |worst| (format!("{:.2e}", worst.error), format!("{:.2e}", worst.bound)));
    let word = if verdict.ok { "ok" } else { "DIVERGES" };
    line(&format!("{:<26}{:>7}{:>12}{error:>13}{bound:>13}   {word}", verdict.op, verdict.cases, verdict.compared))
}
