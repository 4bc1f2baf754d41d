//! The proofs that owe nothing to the implementation: an f64 oracle, finite differences, and PyTorch's numbers.

mod cpu;
#[path = "../devices/mod.rs"]
mod devices;
mod finite_differences;
mod pytorch;
mod reference;
