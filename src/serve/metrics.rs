//! What the server counts, in Prometheus's text format.

use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, Opts, Registry, TextEncoder, exponential_buckets,
};
use std::time::Duration;

/// Counters, gauges and histograms.
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    seconds: HistogramVec,
    errors: IntCounterVec,
    /// Images of each batch that the device got.
    pub batch_images: Histogram,
    /// Requests that are being answered.
    pub in_flight: IntGauge,
    /// Connections that are open.
    pub connections: IntGauge,
}

/// One more in a gauge, for as long as it lives.
pub struct Held(IntGauge);

impl Held {
    /// Adds one.
    pub fn new(gauge: &IntGauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Seconds, from what a page's file takes to what a queue of large pictures does.
const SECONDS: [f64; 13] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

impl Default for Metrics {
    /// All at nothing.
    fn default() -> Self {
        Self::registered().expect("names and buckets are constants")
    }
}

impl Metrics {
    fn registered() -> prometheus::Result<Self> {
        let registry = Registry::new();
        let requests = IntCounterVec::new(
            Opts::new("mnist_gpu_requests_total", "Requests that were answered, by path and HTTP status."),
            &["path", "status"],
        )?;
        let seconds = HistogramVec::new(
            HistogramOpts::new("mnist_gpu_request_seconds", "From a request's head to its answer, in seconds.")
                .buckets(SECONDS.into()),
            &["path"],
        )?;
        let errors = IntCounterVec::new(
            Opts::new(
                "mnist_gpu_errors_total",
                "What went wrong: by the client's fault (4xx), the server's (5xx), or on a connection that broke or spoke no HTTP.",
            ),
            &["kind"],
        )?;
        let batch_images = Histogram::with_opts(
            HistogramOpts::new("mnist_gpu_batch_images", "Images that the model was asked about at once.")
                .buckets(exponential_buckets(1.0, 2.0, 11)?),
        )?;
        let in_flight = IntGauge::new("mnist_gpu_requests_in_flight", "Requests that are being answered.")?;
        let connections = IntGauge::new("mnist_gpu_connections", "Connections that are open.")?;
        registry.register(Box::new(requests.clone()))?;
        registry.register(Box::new(seconds.clone()))?;
        registry.register(Box::new(errors.clone()))?;
        registry.register(Box::new(batch_images.clone()))?;
        registry.register(Box::new(in_flight.clone()))?;
        registry.register(Box::new(connections.clone()))?;
        // A rate needs the nothing before the first.
        for kind in ["client", "server", "connection"] {
            errors.with_label_values(&[kind]);
        }
        Ok(Self { registry, requests, seconds, errors, batch_images, in_flight, connections })
    }

    /// An answer to a request for a path that is one of a few names.
    pub fn answered(&self, path: &str, status: u16, took: Duration) {
        self.requests.with_label_values(&[path, &status.to_string()]).inc();
        self.seconds.with_label_values(&[path]).observe(took.as_secs_f64());
        match status {
            400..500 => self.errors.with_label_values(&["client"]).inc(),
            500.. => self.errors.with_label_values(&["server"]).inc(),
            _ => {}
        }
    }

    /// A connection that did not come to a good end.
    pub fn broken(&self) {
        self.errors.with_label_values(&["connection"]).inc();
    }

    /// All of it as text.
    pub fn text(&self) -> String {
        TextEncoder::new().encode_to_string(&self.registry.gather()).expect("memory takes text")
    }
}
