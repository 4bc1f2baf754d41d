//! Train small image classifiers on any GPU with hand-written WGSL compute kernels, or on a plain CPU.
//!
//! ```
//! use mnist_gpu::data::Dataset;
//! use mnist_gpu::device::{Request, open};
//! use mnist_gpu::model::{defaults, load};
//! use mnist_gpu::{Classifier, TrainConfig, Trainer};
//!
//! let data = Dataset::mnist();
//! let (device, _) = open(&Request::Cpu, None)?; // Request::Auto takes the best GPU
//! let config = TrainConfig { epochs: 1, train_size: Some(6_000), ..defaults(load("mlp", 10)?) };
//! let mut trainer = Trainer::new(&*device, &data, &config)?;
//! trainer.finish()?;
//! let mut classifier = Classifier::new(&*device, &trainer.checkpoint()?)?;
//! assert!(classifier.evaluate(&data.test)?.accuracy > 0.85);
//! let answers = classifier.predict(&data.test.images[..data.image_len()])?;
//! assert_eq!(answers[0].label(), "7"); // answers[0].probability() says how sure it is
//! # Ok::<(), mnist_gpu::Error>(())
//! ```
//!
//! Data come from [`data`] and models from [`model`]; a [`Trainer`] makes weights of them on a device from [`device`]. A
//! [`Checkpoint`] keeps the weights in a file, a [`Classifier`] asks them, and [`check`] holds a device against the CPU. All
//! errors are values of one [`enum@Error`].
//!
//! # Features
//!
//! | feature | what it adds | crates |
//! |---|---|---:|
//! | none | all of the above | 102 |
//! | `pictures` | `data::picture::read`: PNG, JPEG, BMP, WebP and GIF files as a network takes them | + 14 |
//! | `onnx` | `export::onnx`: a trained model as an ONNX file | + 5 |
//! | `cli` | the program `mnist-gpu`, with both of these | + 57 |
//! | `serve` | its command `serve`, with `cli` | + 75 |
//!
//! `cli` and `serve` are on by default: a library does without them by `default-features = false`.

pub use checkpoint::{Checkpoint, Metadata, Parameters};
pub use config::TrainConfig;
pub use error::{Error, Result};
pub use evaluate::{ClassScore, Evaluation};
pub use inference::{Classifier, Prediction};
pub use optimizer::Optimizer;
pub use schedule::Schedule;
pub use trainer::{EpochRow, Event, Trainer};

// The modules, in the order in which data flow through them. What the documentation hides is public for the package's tests,
// benchmarks and binary alone, and changes without notice.

// Images, models, and how these are trained.
#[doc(hidden)]
pub mod config;
pub mod data;
pub mod model;
#[doc(hidden)]
pub mod optimizer;
#[doc(hidden)]
pub mod schedule;

// The computation as plain data, and what runs it.
#[doc(hidden)]
pub mod cpu;
pub mod device;
#[doc(hidden)]
pub mod gpu;
#[doc(hidden)]
pub mod program;
#[doc(hidden)]
pub mod random;

// Training, and what it leaves.
#[doc(hidden)]
pub mod checkpoint;
#[doc(hidden)]
pub mod evaluate;
mod file;
mod pace;
#[doc(hidden)]
pub mod run;
mod snapshot;
#[doc(hidden)]
pub mod trainer;

// What trained models and devices are asked.
pub mod check;
#[cfg(feature = "onnx")]
pub mod export;
#[doc(hidden)]
pub mod inference;

// The program.
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod bench;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
#[cfg(feature = "cli")]
mod power_law;
#[cfg(feature = "cli")]
mod progress;
#[cfg(feature = "cli")]
mod report;
#[cfg(feature = "serve")]
mod serve;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod statistics;
#[cfg(feature = "cli")]
mod study;

mod error;
