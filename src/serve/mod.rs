//! A web server around a trained model: its page, and predictions as JSON.
//!
//! One thread runs all connections ([`run`], on tokio and hyper), a few prepare pictures, and one owns the model
//! ([`Engine`]) and asks it about what waits, together. Everything is bounded by [`Limits`]; what exceeds them gets its HTTP
//! status and `{"error": "..."}`, except what is no HTTP at all: to that hyper says 400, 414 or 431 without a body.

mod answer;
mod app;
mod body;
mod connection;
mod engine;
mod limits;
mod listen;
mod metrics;
mod numbers;
mod predict;
mod site;

pub use app::App;
pub use engine::{Engine, Opened, room};
pub use limits::Limits;
pub use listen::{bind, run};
pub use metrics::Metrics;
pub use site::Site;
