//! Train small image classifiers on any GPU with hand-written WGSL compute kernels, or on a plain CPU.
//!
//! The modules in the order in which data flows through them:
//! [`data`] → [`model`] → [`program`] → devices → trainer → run.

pub mod bench;
pub mod check;
pub mod checkpoint;
pub mod cli;
pub mod config;
pub mod cpu;
pub mod data;
pub mod device;
pub mod error;
pub mod evaluate;
pub mod export;
pub mod file;
pub mod gpu;
pub mod inference;
pub mod model;
pub mod optimizer;
pub mod power_law;
pub mod program;
pub mod progress;
pub mod random;
pub mod report;
pub mod run;
pub mod schedule;
#[cfg(feature = "serve")]
pub mod serve;
pub mod snapshot;
pub mod statistics;
pub mod study;
pub mod trainer;

pub use error::{Error, Result};
