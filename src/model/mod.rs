//! Models as lists of layers, and what becomes of an image's shape in them.

mod presets;
mod spec;
mod stage;

pub use presets::{DEFAULT_PRESET, PRESETS, defaults, load, preset};
pub use spec::{Layer, ModelSpec, Shape};
#[doc(hidden)]
pub(crate) use stage::MOST_GROUPS;
pub use stage::{Conv, Dense, Drop, Stage};
#[cfg(test)]
pub(crate) use stage::{MOST_INPUTS, MOST_OUTPUTS};
