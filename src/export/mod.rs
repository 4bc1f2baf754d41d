//! A trained model in forms that other programs use.

pub mod onnx;
pub mod tensorboard;
pub mod web;
