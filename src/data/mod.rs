//! Data sets: from embedded or untrusted bytes to arrays of images and labels.
//!
//! [`Dataset::load`] gives MNIST, which is embedded in the program, or any other set in IDX format from a folder.
//! [`picture`] makes images as data sets have them of people's own.

#[doc(hidden)]
pub mod dataset;
mod folder;
mod gzip;
#[doc(hidden)]
pub mod idx;
#[doc(hidden)]
pub mod mnist;
pub mod picture;
mod subset;

pub use dataset::{Dataset, Part, Split};
#[doc(hidden)]
pub use subset::{Selection, split};
