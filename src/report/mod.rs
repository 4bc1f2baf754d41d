//! What a run looks like to people: plots and reports.
//!
//! A plot is drawn once, with plotters, on a [`Figure`]'s canvas in the sizes and colours of [`style`]; the figure is then
//! written as PNG and as SVG.

pub mod canvas;
pub mod font;
pub mod numbers;
mod raster;
pub mod study;
pub mod style;
mod svg;

pub use canvas::{Area, Drawn, Figure, Picture};
