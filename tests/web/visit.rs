//! A visit to a site: one browser, one server, and nothing on the console in the end.

use crate::driver::{Browser, Driver};
use crate::expect;
use crate::server::Server;
use crate::site::{Trained, config, few_images, site, train_on_cpu};
use mnist_gpu::data::Dataset;
use mnist_gpu::export::web::File;
use std::path::Path;
use std::sync::OnceLock;

/// A window as desktops have it.
pub const DESKTOP: [u32; 2] = [1280, 1000];
/// What Chromium needs to give a page its software adapter.
pub const WEBGPU: &[&str] = &["--enable-unsafe-webgpu"];

/// What the trials of the page share: a small set, and an `mlp` that was trained on it.
pub struct Fixture {
    pub data: Dataset,
    pub trained: Trained,
}

pub fn fixture() -> &'static Fixture {
    static FIXTURE: OnceLock<Fixture> = OnceLock::new();
    FIXTURE.get_or_init(|| {
        // Twenty steps an epoch, the last one of half a batch.
        let data = few_images(1248, 200);
        let trained = train_on_cpu(&data, &config("mlp", 2, 64));
        Fixture { data, trained }
    })
}

/// The site of the fixture.
pub fn files(training: bool) -> Vec<File> {
    let Fixture { data, trained } = fixture();
    site(&trained.checkpoint, data, training)
}

/// Opens a site's page and does something there. `complaints` are what the console is expected to say.
pub fn visit(
    site: Vec<File>,
    size: [u32; 2],
    arguments: &[&str],
    test: impl FnOnce(&Browser, &Server, &Path) -> Result<(), String>,
) -> Result<(), String> {
    let downloads = tempfile::tempdir().map_err(|error| error.to_string())?;
    let server = Server::start(site).map_err(|error| error.to_string())?;
    let driver = Driver::start()?;
    let browser = driver.open(size, arguments, downloads.path())?;
    browser.goto(&server.url())?;
    browser.wait("document.body.dataset.ready")?;
    test(&browser, &server, downloads.path())?;
    expect("console", &browser.complaints()?, &Vec::new())
}
