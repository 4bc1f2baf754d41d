//! Train small image classifiers on any GPU with hand-written WGSL compute kernels, or on a plain CPU.
//!
//! The modules in the order in which data flows through them:
//! data → [`model`] → [`program`] → devices → trainer → run.

pub mod check;
pub mod cpu;
pub mod device;
pub mod error;
pub mod gpu;
pub mod model;
pub mod optimizer;
pub mod program;
pub mod random;
pub mod schedule;

pub use error::{Error, Result};
