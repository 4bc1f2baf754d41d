//! `mnist-gpu devices`: what there is to compute on.

use super::Ending;
use super::output::{line, thousands};
use crate::Result;
use crate::cpu::Cpu;
use crate::device::{Device, DeviceInfo, Request, choose};
use crate::gpu::{Adapter, Capabilities, adapters};
use serde_json::json;

/// List the adapters of this machine, and say which one `--device auto` takes
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  mnist-gpu devices                 what there is, with limits and features
  mnist-gpu devices --json          for a program to read
  mnist-gpu train --device vulkan   by backend, number or part of the name")]
pub struct Args {
    /// Print one JSON object instead
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<Ending> {
    let adapters = adapters();
    let infos: Vec<&DeviceInfo> = adapters.iter().map(Adapter::info).collect();
    let auto = choose(&Request::Auto, &infos)?;
    let cpu = Cpu::new(None)?;
    if args.json {
        let list: Vec<_> = adapters
            .iter()
            .enumerate()
            .map(|(index, adapter)| json!({ "index": index, "adapter": adapter.info(), "capabilities": adapter.capabilities() }))
            .collect();
        let object = json!({ "adapters": list, "cpu": cpu.info(), "auto": auto.adapter, "auto_reason": auto.why });
        line(&object.to_string())?;
        return Ok(Ending::Success);
    }
    for (index, adapter) in adapters.iter().enumerate() {
        let mark = if auto.adapter == Some(index) { '*' } else { ' ' };
        describe(mark, &index.to_string(), adapter.info())?;
        limits(&adapter.capabilities())?;
    }
    describe(if auto.adapter.is_none() { '*' } else { ' ' }, "cpu", cpu.info())?;
    let taken = auto.adapter.map_or_else(|| "the CPU".into(), |index| format!("adapter {index}"));
    line(&format!("\n* --device auto takes {taken}: {}", auto.why))?;
    Ok(Ending::Success)
}

fn describe(mark: char, number: &str, info: &DeviceInfo) -> Result<()> {
    let DeviceInfo { name, backend, kind, driver } = info;
    let what = if backend == kind { String::new() } else { format!("{backend}, {kind}, ") };
    line(&format!("{mark}{number:>4}  {name}\n       {what}{driver}"))
}

fn limits(capabilities: &Capabilities) -> Result<()> {
    let Capabilities { storage_binding_bytes, storage_buffers, workgroup_bytes, workgroup_invocations, features } =
        capabilities;
    let features = if features.is_empty() { "none".into() } else { features.join(", ") };
    line(&format!(
        "       binding {} MiB, {storage_buffers} storage buffers, workgroup {} bytes and {} invocations; features: {features}",
        thousands(storage_binding_bytes >> 20),
        thousands((*workgroup_bytes).into()),
        thousands((*workgroup_invocations).into()),
    ))
}
