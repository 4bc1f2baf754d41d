//! Which device a user asks for, and which one that is on this machine.

use super::{Device, DeviceInfo};
use crate::cpu::Cpu;
use crate::gpu::kernels::Tuning;
use crate::gpu::{Adapter, Gpu, adapters};
use crate::{Error, Result};
use std::convert::Infallible;
use std::num::NonZeroUsize;
use std::str::FromStr;

/// What follows `--device`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// The best hardware GPU, else the CPU.
    Auto,
    /// The CPU; no adapter is looked for.
    Cpu,
    /// The best adapter that executes shaders on the CPU.
    Software,
    /// The best adapter of a backend.
    Backend(&'static str),
    /// An adapter by its place in the list of `devices`.
    Index(usize),
    /// The best adapter with this in its name, whatever the case.
    Name(String),
}

/// The backends that adapters come from.
const BACKENDS: [&str; 4] = ["vulkan", "metal", "dx12", "gl"];

impl FromStr for Request {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let lower = text.to_lowercase();
        Ok(match lower.as_str() {
            // An empty MNIST_GPU_DEVICE is none.
            "" | "auto" => Self::Auto,
            "cpu" => Self::Cpu,
            "software" => Self::Software,
            _ => match (BACKENDS.iter().find(|name| **name == lower), lower.parse()) {
                (Some(backend), _) => Self::Backend(backend),
                (None, Ok(index)) => Self::Index(index),
                (None, Err(_)) => Self::Name(lower),
            },
        })
    }
}

/// Where a request leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The adapter's place in the list; none for the CPU.
    pub adapter: Option<usize>,
    /// Why this one, as a clause.
    pub why: String,
}

/// Discrete before integrated before the rest; software last. Native backends before GL.
fn rank(info: &DeviceInfo) -> (usize, bool) {
    let kinds = ["discrete", "integrated", "virtual", "other", "software"];
    (kinds.iter().position(|kind| *kind == info.kind).unwrap_or(3), info.backend == "gl")
}

/// Chooses among the adapters of a machine.
///
/// # Errors
/// When nothing fits; the message lists what there is.
pub fn choose(request: &Request, adapters: &[&DeviceInfo]) -> Result<Choice> {
    let best = |fits: &dyn Fn(&DeviceInfo) -> bool| {
        let fitting = adapters.iter().enumerate().filter(|(_, info)| fits(info));
        fitting.min_by_key(|(_, info)| rank(info)).map(|(index, _)| index)
    };
    let found = |adapter: Option<usize>, why: &str, wanted: &str| match adapter {
        Some(_) => Ok(Choice { adapter, why: why.into() }),
        None => Err(none_such(wanted, adapters)),
    };
    match request {
        Request::Cpu => Ok(Choice { adapter: None, why: "asked for by --device cpu".into() }),
        Request::Auto => match best(&|info| !info.is_software()) {
            Some(index) => Ok(Choice { adapter: Some(index), why: format!("the best {} GPU", adapters[index].kind) }),
            None if adapters.is_empty() => Ok(Choice { adapter: None, why: "no GPU was found".into() }),
            None => Ok(Choice {
                adapter: None,
                why: "no hardware GPU was found, and the CPU path is faster than a software adapter".into(),
            }),
        },
        Request::Software => {
            found(best(&DeviceInfo::is_software), "asked for by --device software", "software adapter")
        }
        Request::Backend(backend) => found(
            best(&|info| info.backend == *backend),
            &format!("asked for by --device {backend}"),
            &format!("{backend} adapter"),
        ),
        Request::Index(index) => found(
            (*index < adapters.len()).then_some(*index),
            &format!("asked for by --device {index}"),
            &format!("adapter number {index}"),
        ),
        Request::Name(name) => found(
            best(&|info| info.name.to_lowercase().contains(name)),
            &format!("asked for by --device {name:?}"),
            &format!("adapter with {name:?} in its name"),
        ),
    }
}

fn none_such(wanted: &str, adapters: &[&DeviceInfo]) -> Error {
    let there = if adapters.is_empty() {
        "No adapter at all was found, so there is the CPU alone (--device cpu): a GPU needs its Vulkan, Metal or \
         DirectX 12 driver; a software adapter comes with the package mesa-vulkan-drivers on Debian and Ubuntu"
            .into()
    } else {
        let lines = adapters.iter().enumerate().map(|(index, info)| format!("\n  {index:>3}  {info}"));
        format!("There is:{}\n  cpu  the CPU", lines.collect::<String>())
    };
    Error::Device(format!("there is no {wanted} on this machine. {there}"))
}

/// Opens the device that a request leads to; says which adapter's place it has and why it was taken.
pub fn open(request: &Request, threads: Option<NonZeroUsize>) -> Result<(Box<dyn Device>, Choice)> {
    open_as(request, None, threads)
}

/// The same; the device of a run that began with this tuning gets it.
fn open_as(
    request: &Request,
    began: Option<(&DeviceInfo, &Tuning)>,
    threads: Option<NonZeroUsize>,
) -> Result<(Box<dyn Device>, Choice)> {
    let found = if *request == Request::Cpu { Vec::new() } else { adapters() };
    let infos: Vec<&DeviceInfo> = found.iter().map(Adapter::info).collect();
    let choice = choose(request, &infos)?;
    let device: Box<dyn Device> = match choice.adapter {
        Some(index) => {
            let gpu = Gpu::open(&found[index], false)?.with_user_folder();
            match began {
                Some((info, tuning)) if gpu.info() == info => Box::new(gpu.with_tuning(tuning)),
                _ => Box::new(gpu),
            }
        }
        None => Box::new(Cpu::new(threads)?),
    };
    Ok((device, choice))
}

/// Opens the device that a run began on, with the kernels that measurements had chosen by then; or another that is asked
/// for.
///
/// # Errors
/// When it is not on this machine; the message lists what is.
pub fn reopen(
    request: Option<&Request>,
    info: &DeviceInfo,
    tuning: &Tuning,
    threads: Option<NonZeroUsize>,
) -> Result<(Box<dyn Device>, Choice)> {
    if let Some(request) = request {
        return open_as(request, Some((info, tuning)), threads);
    }
    let why = || "the run began on it".to_owned();
    if info.backend == "cpu" {
        return Ok((Box::new(Cpu::new(threads)?), Choice { adapter: None, why: why() }));
    }
    let found = adapters();
    let same = |other: &DeviceInfo| other.name == info.name && other.backend == info.backend;
    let Some(index) = found.iter().position(|adapter| same(adapter.info())) else {
        let infos: Vec<&DeviceInfo> = found.iter().map(Adapter::info).collect();
        return Err(none_such(&format!("{info}, which the run began on,"), &infos));
    };
    Ok((
        Box::new(Gpu::open(&found[index], false)?.with_user_folder().with_tuning(tuning)),
        Choice { adapter: Some(index), why: why() },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(name: &str, backend: &str, kind: &str) -> DeviceInfo {
        DeviceInfo { name: name.into(), backend: backend.into(), kind: kind.into(), driver: String::new() }
    }

    fn chosen(request: &str, adapters: &[DeviceInfo]) -> Option<usize> {
        let adapters: Vec<&DeviceInfo> = adapters.iter().collect();
        choose(&request.parse().expect("every text is a request"), &adapters).expect("something fits").adapter
    }

    #[test]
    fn auto_takes_the_best_hardware_and_else_the_cpu() {
        let lavapipe = info("llvmpipe (LLVM 15)", "vulkan", "software");
        let laptop = info("Iris Xe", "vulkan", "integrated");
        let card_gl = info("Radeon", "gl", "discrete");
        let card = info("Radeon RX 7800", "vulkan", "discrete");
        assert_eq!(chosen("auto", &[lavapipe.clone(), laptop.clone(), card_gl, card]), Some(3));
        assert_eq!(chosen("auto", &[lavapipe.clone(), laptop]), Some(1));
        assert_eq!(chosen("auto", &[lavapipe]), None);
        assert_eq!(chosen("auto", &[]), None);
        assert_eq!(chosen("", &[info("llvmpipe", "vulkan", "software")]), None);
    }

    #[test]
    fn requests_name_backends_places_and_names() {
        let all = [
            info("llvmpipe", "vulkan", "software"),
            info("SwiftShader Device", "vulkan", "software"),
            info("llvmpipe", "gl", "software"),
            info("Radeon", "vulkan", "discrete"),
        ];
        assert_eq!(chosen("software", &all), Some(0));
        assert_eq!(chosen("vulkan", &all), Some(3));
        assert_eq!(chosen("GL", &all), Some(2));
        assert_eq!(chosen("swift", &all), Some(1));
        assert_eq!(chosen("2", &all), Some(2));
        assert_eq!(chosen("cpu", &all), None);
    }

    #[test]
    fn what_is_not_there_is_an_error_that_lists_what_is() {
        let lavapipe = info("llvmpipe", "vulkan", "software");
        let error = choose(&Request::Backend("metal"), &[&lavapipe]).expect_err("no metal").to_string();
        assert!(error.contains("no metal adapter") && error.contains("llvmpipe"), "{error}");
        let error = choose(&Request::Software, &[]).expect_err("nothing at all").to_string();
        assert!(error.contains("mesa-vulkan-drivers"), "{error}");
        assert!(choose(&Request::Index(1), &[&lavapipe]).is_err());
    }
}
