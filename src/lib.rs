//! Train small image classifiers on any GPU with hand-written WGSL compute kernels, or on a plain CPU.
//!
//! The modules in the order in which data flows through them:
//! [`data`] → [`model`] → [`program`] → devices → trainer → run.

#[cfg(feature = "cli")]
pub mod bench;
pub mod check;
pub mod checkpoint;
#[cfg(feature = "cli")]
pub mod cli;
pub mod config;
pub mod cpu;
pub mod data;
pub mod device;
pub mod error;
pub mod evaluate;
#[cfg(feature = "onnx")]
pub mod export;
pub mod file;
pub mod gpu;
pub mod inference;
pub mod model;
pub mod optimizer;
#[cfg(feature = "cli")]
pub mod power_law;
pub mod program;
#[cfg(feature = "cli")]
pub mod progress;
pub mod random;
#[cfg(feature = "cli")]
pub mod report;
pub mod run;
pub mod schedule;
#[cfg(feature = "serve")]
pub mod serve;
pub mod snapshot;
#[cfg(feature = "cli")]
pub mod statistics;
#[cfg(feature = "cli")]
pub mod study;
pub mod trainer;

pub use error::{Error, Result};
