//! GPUs, and what poses as one, through wgpu. No type of wgpu leaves this module.

mod adapter;
mod cache;
mod executor;
mod kept;
pub mod kernels;
mod pipeline;
mod probe;
pub mod recording;
mod timing;
pub mod tuning;

pub use adapter::{Adapter, Capabilities, adapters};
pub use executor::Gpu;
pub use probe::Probe;
