//! What a run looks like to people: plots and reports.
//!
//! A plot is drawn once, with plotters, on a [`Figure`]'s canvas in the sizes and colours of [`style`]; the figure is then
//! written as PNG and as SVG.

pub mod bench;
pub mod canvas;
pub mod command;
pub mod compare;
pub mod confusion;
pub mod curves;
pub mod font;
pub mod markdown;
pub mod mistakes;
pub mod numbers;
mod raster;
pub mod reliability;
pub mod results;
pub mod statements;
pub mod study;
pub mod style;
mod svg;
pub mod training;
mod write;

pub use canvas::{Area, Dashed, Drawn, Figure, Picture};
pub use write::{files, write};
