//! The one error type of the library: what was expected, what was found, and where.

use std::path::PathBuf;

/// A result with the library's [`enum@Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can go wrong, each with what was expected, what was found and what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder could not be read, written or made.
    #[error("{}: cannot {action}: {source}", path.display())]
    Io {
        /// What was being done, as a verb phrase ("read", "create the folder").
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The operating system's reason.
        source: std::io::Error,
    },
    /// A file's bytes are not what its format asks for.
    #[error("{}: {problem}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What was expected and what was found, with the byte offset where it helps.
        problem: String,
    },
    /// A value given by the user is out of range or does not fit another one.
    #[error("{0}")]
    Usage(String),
    /// A request about data that the data set cannot meet.
    #[error("{0}")]
    Data(String),
    /// A picture that cannot be read, or with nothing on it.
    #[error("{0}")]
    Picture(String),
    /// A picture, or a number of them, beyond what is accepted.
    #[error("{0}")]
    TooLarge(String),
    /// A program, model or tensor is not well formed.
    #[error("{0}")]
    Program(String),
    /// No device fits the request, or the device failed.
    #[error("{0}")]
    Device(String),
    /// A plot could not be drawn.
    #[error("the plot cannot be drawn: {0}")]
    Plot(String),
    /// The loss stopped being a finite number.
    #[error(
        "the loss became {loss} at step {step} (epoch {epoch}): training has diverged. Lower the learning rate (it is {learning_rate} at this step)"
    )]
    Diverged {
        /// The loss as the device reported it.
        loss: f64,
        /// Steps of the run before this one.
        step: u64,
        /// The epoch, counted from 1.
        epoch: u32,
        /// The learning rate of that step.
        learning_rate: f64,
    },
}

impl Error {
    /// Wraps an I/O error with what was being done to which path.
    pub fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }

    /// A format error of `path`.
    pub fn format(path: impl Into<PathBuf>, problem: impl Into<String>) -> Self {
        Self::Format { path: path.into(), problem: problem.into() }
    }
}
