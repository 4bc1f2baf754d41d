//! A visit to a site: a browser, a server, and nothing on the console in the end.

use crate::driver::Browser;
use crate::expect;
use crate::server::Server;
use crate::site::{Trained, config, few_images, site, train_on_cpu};
use mnist_gpu::data::Dataset;
use mnist_gpu::export::web::File;
use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};

/// A window as desktops have it.
pub const DESKTOP: [u32; 2] = [1280, 1000];
/// What Chromium needs to give a page its software adapter.
pub const WEBGPU: &str = "--enable-unsafe-webgpu";
/// Browsers without a visitor: a browser starts in more time than most visits take.
static FREE: Mutex<Vec<Browser>> = Mutex::new(Vec::new());

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

/// Opens a site's page in a browser with WebGPU and does something there.
pub fn visit(
    site: Vec<File>,
    size: [u32; 2],
    test: impl FnOnce(&Browser, &Path) -> Result<(), String>,
) -> Result<(), String> {
    let server = Server::start(site).map_err(|error| error.to_string())?;
    visit_at(&server.url(), size, test)
}

/// The same with the page at an address. Addresses are never the same twice (each server has a port of its own), so that
/// nothing that a browser keeps comes from another visit.
pub fn visit_at(
    url: &str,
    size: [u32; 2],
    test: impl FnOnce(&Browser, &Path) -> Result<(), String>,
) -> Result<(), String> {
    let downloads = tempfile::tempdir().map_err(|error| error.to_string())?;
    let free = FREE.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let browser = match free {
        Some(browser) => browser,
        None => Browser::start(&[WEBGPU])?,
    };
    browser.resize(size)?;
    browser.download_to(downloads.path())?;
    browser.goto(url)?;
    browser.wait("document.body.dataset.ready")?;
    test(&browser, downloads.path())?;
    expect("console", &browser.complaints()?, &Vec::new())?;
    // The page ends with all that it has on the device. A browser in which something went wrong ends, too.
    browser.goto("about:blank")?;
    FREE.lock().unwrap_or_else(PoisonError::into_inner).push(browser);
    Ok(())
}

/// Ends the browsers.
pub fn close() {
    FREE.lock().unwrap_or_else(PoisonError::into_inner).clear();
}
