//! A trained model in forms that other programs use.

pub mod onnx;
#[cfg(feature = "cli")]
pub mod tensorboard;
#[cfg(feature = "cli")]
pub mod web;
