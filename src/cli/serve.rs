//! `mnist-gpu serve`: a trained model as a web server.

use super::options::{DataArgs, DeviceArgs, trained};
use super::output::line;
use super::runs::{run_of, weights_path};
use super::{Ending, Talk, signals};
use crate::data::Part;
use crate::device::open;
use crate::export::web::{Source, files};
use crate::inference::Classifier;
use crate::program::BINDING_BYTES;
use crate::serve::{self, App, Engine, Limits, Metrics, Opened, Site};
use crate::{Error, Result};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Serve a trained model: its web page, and predictions over HTTP
///
/// The page is that of `mnist-gpu export web --with-training`, at /; it does not train on data of over 128 MiB. POST
/// /v1/predict takes
///
///   - a picture in a format that `mnist-gpu predict` reads (PNG, JPEG, BMP, WebP or GIF, sent as image/png and so on), which
///     is prepared as that command does it;
///
///   - or JSON (application/json): an array of rows of numbers, one image, or an array of such arrays, many. Numbers are
///     whole, from 0 (ground) to 255 (ink), as data sets have them, and go to the network as they are: nothing is inverted,
///     centred or scaled. Fractions are refused, such as shares from 0 to 1, and so is an image without a number above 1.
///
/// The answer to a picture is an object: label, probabilities, model, device; to an array of images, an array of objects.
/// Errors are {"error": "..."} with a status that fits. GET /healthz says whether the device works; GET /metrics is in
/// Prometheus's text format. SIGTERM and Ctrl-C let requests that are under way be answered.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  mnist-gpu serve                          the newest run, on 127.0.0.1:8000
  mnist-gpu serve runs/0002-cnn --port 0   another run, on a port that is free
  mnist-gpu serve --host 0.0.0.0           for other machines, too
  curl -H 'Content-Type: image/png' --data-binary @seven.png \\
      http://127.0.0.1:8000/v1/predict
  curl --json '[[0, 0, ...], ...]' http://127.0.0.1:8000/v1/predict

There is neither encryption nor a password: beyond this machine, put a web server that has them in front.")]
pub struct Args {
    /// A run's folder or a .safetensors file [default: the newest complete run]
    run: Option<PathBuf>,
    /// The architecture of weights that say none: a preset's name, or a JSON file of layers
    #[arg(long, value_name = "NAME|FILE.json", requires = "run")]
    model: Option<String>,
    /// The address to listen on: this machine's own by default, 0.0.0.0 for all
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    host: String,
    /// The port; 0 takes one that is free
    #[arg(long, default_value_t = 8000)]
    port: u16,
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    device: DeviceArgs,
    #[command(flatten)]
    limits: LimitArgs,
}

/// How much the server takes on.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Limits")]
struct LimitArgs {
    /// Bytes of a request's body
    #[arg(long, value_name = "BYTES", default_value_t = Limits::default().body)]
    max_body: usize,
    /// Pixels of a picture
    #[arg(long, value_name = "N", default_value_t = Limits::default().pixels)]
    max_pixels: u64,
    /// Images of a request
    #[arg(long, value_name = "N", default_value_t = Limits::default().images, value_parser = at_least_one)]
    max_images: usize,
    /// Predictions that are read, prepared or waiting at a time
    #[arg(long, value_name = "N", default_value_t = Limits::default().requests, value_parser = at_least_one)]
    max_requests: usize,
    /// Connections at a time
    #[arg(long, value_name = "N", default_value_t = Limits::default().connections, value_parser = at_least_one)]
    max_connections: usize,
    /// How long a client may take for a request's head, for its body and between two reads of an answer, and how long a
    /// prediction may take
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    timeout: Duration,
}

/// The most that is asked for of anything that is counted.
const MOST: usize = 1 << 20;

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count) if (1..=MOST).contains(&count) => Ok(count),
        _ => Err(format!("expected a number from 1 to {MOST}")),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(seconds @ 0.001..=86_400.0) => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("expected seconds from 0.001 to 86400".into()),
    }
}

impl LimitArgs {
    fn limits(&self) -> Limits {
        Limits {
            body: self.max_body,
            pixels: self.max_pixels,
            images: self.max_images,
            requests: self.max_requests,
            connections: self.max_connections,
            timeout: self.timeout,
        }
    }
}

pub(super) fn run(args: &Args, talk: Talk) -> Result<Ending> {
    let signal = signals::watch()?;
    let limits = args.limits.limits();
    // First of all, so that an address that is taken is known at once.
    let listener = serve::bind(&args.host, args.port)?;
    let address = listener.local_addr().map_err(Error::io("listen", &args.host))?;
    let path = weights_path(args.run.as_deref())?;
    let run = run_of(&path);
    let data = args.data.load_or_of(run.as_ref(), Part::All)?;
    let checkpoint = trained(&path, args.model.as_deref(), &data)?;
    args.data.fits(&checkpoint.metadata, &data)?;
    // Where a device does not take all images at once, the page recognises only.
    let training = data.train.images.len() + data.test.images.len() <= BINDING_BYTES;
    let site = files(&Source { checkpoint: &checkpoint, run: run.as_ref(), data: &data, training, compress: false })?;
    drop(data);
    let metadata = checkpoint.metadata.clone();
    let metrics = Arc::new(Metrics::default());
    let (request, threads, room) = (args.device.request(), args.device.threads, serve::room(limits.images));
    let engine = Engine::start(limits.requests, room, Arc::clone(&metrics), move || {
        let (device, choice) = open(&request, threads)?;
        let classifier = Classifier::new(&*device, &checkpoint)?;
        Ok(Opened { classifier, device: device.info().clone(), why: choice.why })
    })?;
    if !talk.quiet {
        let (model, device, why) = (&metadata.model.name, &engine.device, &engine.why);
        line(&format!("Serving {model} from {} on {device}: {why}", path.display()))?;
        line(&format!("Listening on http://{address}; Ctrl-C stops"))?;
    }
    let app = Arc::new(App::new(limits, metadata, engine, Site::new(site), metrics));
    serve::run(listener, app, || signal.load(Ordering::Relaxed) != 0)?;
    Ok(Ending::Signal(signal.load(Ordering::Relaxed) as u8))
}
