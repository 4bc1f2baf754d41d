//! `POST /v1/predict`: what the model reads on a picture, or on images as arrays of numbers.

use super::answer::{Answer, Refusal, json_answer};
use super::app::App;
use super::body::Body;
use super::limits::Limits;
use super::numbers;
use crate::data::picture;
use crate::inference::ranking;
use hyper::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap};
use hyper::{StatusCode, header::HeaderName};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use tokio::time::timeout;

/// What a body is by its media type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    /// A file as `mnist-gpu predict` reads it, whichever of its formats it is in.
    Picture,
    /// JSON.
    Numbers,
}

/// Media types of pictures, the usual ones first.
const PICTURES: [&str; 8] = [
    "image/png",
    "image/jpeg",
    "image/bmp",
    "image/webp",
    "image/gif",
    "image/jpg",
    "image/x-ms-bmp",
    "application/octet-stream",
];
/// What a client may send, as it is told.
const ACCEPTED: &str =
    "image/png, image/jpeg, image/bmp, image/webp, image/gif, application/octet-stream, application/json";

/// What the model is asked about.
struct Input {
    images: Vec<u8>,
    /// Whether the answer is an array, as the question was.
    many: bool,
}

/// Answers with an object for a picture: label, probabilities, model, device; with an array of them for an array of images.
pub async fn predict(app: &Arc<App>, headers: &HeaderMap, body: &mut Body) -> Result<Answer, Refusal> {
    let format = format(headers)?;
    body.check(&app.limits)?;
    let limits = app.limits;
    let admitted = Arc::clone(&app.admission).try_acquire_owned().map_err(|_| {
        Refusal::busy(format!("busy: {} requests are being read, prepared or waiting already", limits.requests))
    })?;
    let bytes = body.read(&limits).await?;
    let answer = async {
        let sides = app.sides();
        // A client may go away, but its place is free only when its picture is off the hands of the thread that reads it.
        let (input, _admitted) = tokio::task::spawn_blocking(move || (input(format, &bytes, &limits, sides), admitted))
            .await
            .map_err(|_| internal("preparing the picture ended in a panic"))?;
        let Input { images, many } = input?;
        let count = images.len() / (sides[0] * sides[1]) as usize;
        let probabilities =
            app.engine.probabilities(images, count).await.map_err(|error| internal(&error.to_string()))?;
        let mut predictions: Vec<Value> = probabilities.iter().map(|row| prediction(app, row)).collect();
        let value = if many { Value::Array(predictions) } else { predictions.swap_remove(0) };
        Ok(json_answer(StatusCode::OK, &value))
    };
    let late = |_| Refusal::busy(format!("busy: expected to answer within {:?}, and did not", limits.timeout));
    timeout(limits.timeout, answer).await.map_err(late)?
}

/// What the body is to be read as.
fn format(headers: &HeaderMap) -> Result<Format, Refusal> {
    let refuse = |problem: String, name: HeaderName, value: &'static str| {
        Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, problem).with(name, value))
    };
    if let Some(coding) = headers.get(CONTENT_ENCODING).filter(|coding| *coding != "identity") {
        let problem =
            format!("expected a body without Content-Encoding, found {}", String::from_utf8_lossy(coding.as_bytes()));
        return refuse(problem, ACCEPT_ENCODING, "identity");
    }
    let whole = headers.get(CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase());
    let kind = whole.as_deref().map(|value| value.split(';').next().unwrap_or_default().trim());
    match kind {
        Some("application/json") => Ok(Format::Numbers),
        Some(kind) if PICTURES.contains(&kind) => Ok(Format::Picture),
        found => {
            let found = found.unwrap_or("none");
            refuse(format!("expected a Content-Type of {ACCEPTED}; found {found}"), ACCEPT, ACCEPTED)
        }
    }
}

/// The network's input from a body: pictures are prepared as MNIST was, numbers are taken as they are.
fn input(format: Format, bytes: &[u8], limits: &Limits, sides: [u32; 2]) -> Result<Input, Refusal> {
    match format {
        Format::Picture => Ok(Input { images: picture::read(bytes, &limits.picture(), sides)?, many: false }),
        Format::Numbers => {
            let numbers::Numbers { images, many } = numbers::read(bytes, sides, limits.images)?;
            Ok(Input { images, many })
        }
    }
}

fn internal(problem: &str) -> Refusal {
    Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, problem)
}

fn prediction(app: &App, probabilities: &[f32]) -> Value {
    let ranking = ranking(probabilities, &app.metadata.classes);
    let probabilities: Map<String, Value> =
        ranking.iter().map(|&(class, probability)| (class.to_owned(), json!(probability))).collect();
    json!({
        "label": ranking[0].0,
        "probabilities": probabilities,
        "model": app.metadata.model.name,
        "device": app.engine.device,
    })
}
