//! Train small image classifiers on any GPU with hand-written WGSL compute kernels, or on a plain CPU.
//!
//! The modules in the order in which data flows through them:
//! [`data`] → [`model`] → [`program`] → [`cpu`] and [`gpu`] → [`trainer`] → [`run`].

pub mod error;
pub mod random;

pub use error::{Error, Result};
