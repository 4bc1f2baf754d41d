//! Data sets: from embedded or untrusted bytes to arrays of images and labels.
//!
//! [`Dataset::load`] gives MNIST, which is embedded in the program, or any other set in IDX format from a folder.

pub mod dataset;
pub mod folder;
pub mod gzip;
pub mod idx;
pub mod mnist;

pub use dataset::{Dataset, Part, Split};
