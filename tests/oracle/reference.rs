//! The oracle: every formula of the program's vocabulary again, in f64, as plain loops over slices with explicit
//! shapes.
//!
//! Written from the definitions (`src/program/op.rs`, the papers, PyTorch's documentation) and not from the
//! implementation, of which it uses nothing. [`finite_differences`](crate::finite_differences) holds the gradients
//! against the forwards, [`pytorch`](crate::pytorch) holds both against PyTorch. All tensors are row-major.

pub mod conv;
pub mod linear;
pub mod network;
pub mod optimizer;
pub mod pool;
pub mod random;
pub mod softmax;
