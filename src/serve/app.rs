//! What there is under which path.

use super::answer::{Answer, Refusal, json_answer, secure, text_answer};
use super::body::Body;
use super::engine::Engine;
use super::limits::Limits;
use super::metrics::{Held, Metrics};
use super::predict::predict;
use super::site::Site;
use crate::checkpoint::Metadata;
use hyper::body::Incoming;
use hyper::header::{ALLOW, CONNECTION, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, Request, StatusCode};
use serde_json::json;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::Semaphore;

/// Prometheus's text format.
const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A model, its page, and what is counted.
pub struct App {
    /// How much is taken on.
    pub limits: Limits,
    /// What the model is.
    pub metadata: Metadata,
    /// The model.
    pub engine: Engine,
    /// The page.
    pub site: Site,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// A permit for each prediction that may be under way.
    pub admission: Arc<Semaphore>,
}

/// Where a path leads.
#[derive(Clone, Copy)]
enum Route {
    Predict,
    Health,
    Metrics,
    Page,
    Nowhere,
}

impl Route {
    /// Its name in the metrics: paths that clients make up are one.
    fn name(self) -> &'static str {
        match self {
            Self::Predict => "/v1/predict",
            Self::Health => "/healthz",
            Self::Metrics => "/metrics",
            Self::Page => "page",
            Self::Nowhere => OTHER,
        }
    }

    /// The methods that it has.
    fn methods(self) -> &'static str {
        if matches!(self, Self::Predict) { "POST" } else { "GET, HEAD" }
    }
}

/// The name in the metrics of whatever has none.
pub const OTHER: &str = "other";

impl App {
    /// A model that has been opened, with its page.
    pub fn new(limits: Limits, metadata: Metadata, engine: Engine, site: Site, metrics: Arc<Metrics>) -> Self {
        let admission = Arc::new(Semaphore::new(limits.requests));
        Self { limits, metadata, engine, site, metrics, admission }
    }

    /// Height and width of the network's input.
    pub fn sides(&self) -> [u32; 2] {
        [self.metadata.height, self.metadata.width]
    }

    /// Answers a request; where there are too many connections already, that it is to come back.
    pub async fn respond(self: Arc<Self>, request: Request<Incoming>, full: bool) -> Answer {
        let began = Instant::now();
        let _in_flight = Held::new(&self.metrics.in_flight);
        let (head, incoming) = request.into_parts();
        let mut body = Body::new(incoming);
        let route = self.route(head.uri.path());
        let outcome = if full {
            Err(Refusal::busy(format!("busy: there are {} connections already", self.limits.connections)))
        } else {
            self.answer(route, &head, &mut body).await
        };
        let mut answer = outcome.unwrap_or_else(Refusal::answer);
        secure(answer.headers_mut());
        if full || body.is_left() {
            answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        let (status, took) = (answer.status(), began.elapsed());
        log::debug!("{} {} {} {took:.1?}", head.method, head.uri, status.as_u16());
        self.metrics.answered(route.name(), status.as_u16(), took);
        answer
    }

    fn route(&self, path: &str) -> Route {
        match path {
            "/v1/predict" => Route::Predict,
            "/healthz" => Route::Health,
            "/metrics" => Route::Metrics,
            _ if self.site.get(path).is_some() => Route::Page,
            _ => Route::Nowhere,
        }
    }

    async fn answer(self: &Arc<Self>, route: Route, head: &Parts, body: &mut Body) -> Result<Answer, Refusal> {
        let methods = route.methods();
        let path = head.uri.path();
        if matches!(route, Route::Nowhere) {
            let problem = format!("expected /, /v1/predict, /healthz, /metrics or a file of the page, found {path}");
            return Err(Refusal::new(StatusCode::NOT_FOUND, problem));
        }
        let reading = head.method == Method::GET || head.method == Method::HEAD;
        if matches!(route, Route::Predict) != (head.method == Method::POST) || !(reading || head.method == Method::POST)
        {
            let problem = format!("expected {methods} for {path}, found {}", head.method);
            return Err(Refusal::new(StatusCode::METHOD_NOT_ALLOWED, problem).with(ALLOW, methods));
        }
        match route {
            Route::Predict => predict(self, &head.headers, body).await,
            Route::Health if self.engine.is_well() => Ok(json_answer(StatusCode::OK, &json!({ "status": "ok" }))),
            Route::Health => Err(Refusal::busy("the device failed")),
            Route::Metrics => Ok(text_answer(self.metrics.text(), METRICS_TYPE)),
            Route::Page | Route::Nowhere => {
                let file = self.site.get(path).ok_or_else(|| Refusal::new(StatusCode::NOT_FOUND, path))?;
                Ok(file.answer(&head.headers))
            }
        }
    }
}
