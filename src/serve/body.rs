//! A request's body, read within limits of size and time.

use super::answer::Refusal;
use super::limits::Limits;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::StatusCode;
use hyper::body::{Body as _, Bytes, Incoming};

/// What follows a request's head.
pub struct Body {
    incoming: Incoming,
    read: bool,
}

impl Body {
    /// Of a request of which nothing but the head has been read.
    pub fn new(incoming: Incoming) -> Self {
        Self { incoming, read: false }
    }

    /// Whether something of it is still to come, so that no other request can follow on its connection.
    pub fn is_left(&self) -> bool {
        !self.read && !self.incoming.is_end_stream()
    }

    /// Refuses a body that says itself that it is too long.
    pub fn check(&self, limits: &Limits) -> Result<(), Refusal> {
        match self.incoming.size_hint().exact() {
            Some(length) if length > limits.body as u64 => Err(too_large(limits, &format!("{length} bytes"))),
            _ => Ok(()),
        }
    }

    /// All of it.
    pub async fn read(&mut self, limits: &Limits) -> Result<Bytes, Refusal> {
        let reading = Limited::new(&mut self.incoming, limits.body).collect();
        match tokio::time::timeout(limits.timeout, reading).await {
            Ok(Ok(collected)) => {
                self.read = true;
                Ok(collected.to_bytes())
            }
            Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large(limits, "more")),
            // It is told to nobody but the log and the metrics: the connection is gone.
            Ok(Err(error)) => Err(Refusal::new(StatusCode::BAD_REQUEST, format!("the body was cut off: {error}"))),
            Err(_) => {
                let problem = format!("expected the whole body within {:?}, and it was not there", limits.timeout);
                Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, problem))
            }
        }
    }
}

fn too_large(limits: &Limits, found: &str) -> Refusal {
    let problem = format!("the body is too large: expected at most {} bytes, found {found}", limits.body);
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, problem)
}
