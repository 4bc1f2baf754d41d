//! How much the server takes on.

use crate::data::picture;
use std::time::Duration;

/// What a request, and all requests together, may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a request's body.
    pub body: usize,
    /// Pixels of a picture.
    pub pixels: u64,
    /// Images of a request.
    pub images: usize,
    /// Predictions that are read, prepared or waiting at a time.
    pub requests: usize,
    /// Connections at a time.
    pub connections: usize,
    /// How long a client may take for a request's head, for its body and to go on reading an answer, and how long an answer
    /// may be waited for.
    pub timeout: Duration,
}

impl Default for Limits {
    /// Room for what phones' cameras take, in some hundreds of megabytes of memory.
    fn default() -> Self {
        Self {
            body: 8 << 20,
            pixels: 25_000_000,
            images: 1000,
            requests: 64,
            connections: 256,
            timeout: Duration::from_secs(10),
        }
    }
}

impl Limits {
    /// Those of a picture.
    pub fn picture(&self) -> picture::Limits {
        picture::Limits { bytes: self.body as u64, pixels: self.pixels, ..picture::Limits::default() }
    }
}
