//! Answers, and what every one of them says to a browser.

use crate::Error;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY,
    RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Response, StatusCode};
use serde::Serialize;
use serde_json::json;

/// What goes back to a client: all of it is in memory.
pub type Answer = Response<Full<Bytes>>;

/// Only what this server has, nothing inline, in no other site's frame.
const POLICY: &str = "default-src 'self'; img-src 'self' blob: data:; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'; object-src 'none'";

/// Why a request gets no answer, as an HTTP status and a text that says what was expected and what was found.
#[derive(Debug)]
pub struct Refusal {
    status: StatusCode,
    problem: String,
    header: Option<(HeaderName, HeaderValue)>,
}

impl Refusal {
    /// A refusal without further headers.
    pub fn new(status: StatusCode, problem: impl Into<String>) -> Self {
        Self { status, problem: problem.into(), header: None }
    }

    /// Too much is going on: the client is to come back in a second.
    pub fn busy(problem: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, problem).with(RETRY_AFTER, "1")
    }

    /// The same with a header that its status asks for.
    pub fn with(self, name: HeaderName, value: &'static str) -> Self {
        Self { header: Some((name, HeaderValue::from_static(value))), ..self }
    }

    /// What the client gets: `{"error": "..."}`.
    pub fn answer(self) -> Answer {
        let mut answer = json_answer(self.status, &json!({ "error": self.problem }));
        answer.headers_mut().extend(self.header);
        answer
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let status = match error {
            Error::Picture(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Error::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, error.to_string())
    }
}

/// A value as JSON, which nobody keeps.
pub fn json_answer(status: StatusCode, value: &impl Serialize) -> Answer {
    let text = serde_json::to_string(value).expect("plain data") + "\n";
    let mut answer = text_answer(text, "application/json");
    *answer.status_mut() = status;
    answer
}

/// A text of a media type, which nobody keeps.
pub fn text_answer(text: String, content_type: &'static str) -> Answer {
    let mut answer = Response::new(Full::from(text));
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// Tells browsers to trust an answer no further than they must.
pub fn secure(headers: &mut HeaderMap) {
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-embedder-policy"), "require-corp"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
