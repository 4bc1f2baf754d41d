//! Data sets: from embedded or untrusted bytes to arrays of images and labels.
//!
//! [`Dataset::load`] gives MNIST, which is embedded in the program, or any other set in IDX format from a folder;
//! [`split`] chooses the training images to learn from and those to hold out.

pub mod dataset;
pub mod folder;
pub mod gzip;
pub mod idx;
pub mod mnist;
pub mod picture;
pub mod subset;

pub use dataset::{Dataset, Part, Split};
pub use subset::{Selection, split};
