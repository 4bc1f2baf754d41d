//! A trained model in forms that other programs use.

pub mod onnx;
#[cfg(feature = "cli")]
pub(crate) mod tensorboard;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod web;
