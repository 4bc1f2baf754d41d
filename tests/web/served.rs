//! The page as `mnist-gpu serve` gives it, with that server's headers.

use crate::page::{PASTE, start};
use crate::program::Program;
use crate::visit::{DESKTOP, Fixture, fixture, visit_at};
use crate::{InBrowser, expect};
use mnist_gpu::data::Split;
use serde_json::json;
use std::path::Path;

pub const TRIALS: &[InBrowser] = &[("served::the_page_recognises_and_trains", page)];

/// Writes a split as IDX files.
fn write(folder: &Path, name: &str, split: &Split) -> std::io::Result<()> {
    let file = |kind: &str, extents: &[u32], bytes: &[u8]| {
        let header: Vec<u8> = extents.iter().flat_map(|word| word.to_be_bytes()).collect();
        std::fs::write(folder.join(format!("{name}-{kind}-ubyte")), [&header, bytes].concat())
    };
    let count = split.len() as u32;
    file("images-idx3", &[0x803, count, 28, 28], &split.images)?;
    file("labels-idx1", &[0x801, count], &split.labels)
}

/// Weights and data in a folder, and a server for them.
fn serve(folder: &Path) -> Result<Program, String> {
    let Fixture { data, trained } = fixture();
    let weights = folder.join("model.safetensors");
    trained.checkpoint.save(&weights).map_err(|error| error.to_string())?;
    for (name, split) in [("train", &data.train), ("t10k", &data.test)] {
        write(folder, name, split).map_err(|error| error.to_string())?;
    }
    let data = folder.to_string_lossy();
    Ok(Program::start(env!("CARGO_BIN_EXE_mnist-gpu"), &weights, &["--data-dir", &data]))
}

/// Test images get the label that they have, training comes to its end, and the browser has nothing to complain of: the
/// policy in the server's headers lets the page do all it does.
fn page() -> Result<(), String> {
    let Fixture { data, .. } = fixture();
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let server = serve(folder.path())?;
    visit_at(&format!("http://127.0.0.1:{}/", server.port), DESKTOP, |browser, _| {
        let mut right = 0;
        for (image, label) in data.test.images.chunks(784).zip(&data.test.labels).take(10) {
            browser.run(PASTE, &[json!(image)])?;
            browser.wait("document.querySelector('#answer strong')")?;
            right += usize::from(browser.text("#answer strong")? == label.to_string());
        }
        // The network itself, trained on so few images, knows some nine in ten.
        expect("eight of ten images are recognised", &(right >= 8), &true)?;
        start(browser, &json!({ "epochs": 1 }))?;
        browser.wait("document.querySelector('#status').textContent.startsWith('Done')")?;
        let evaluate =
            "return (await fetch('/v1/predict', { method: 'POST', headers: { 'Content-Type': 'application/json' },
            body: JSON.stringify(args[0]) })).json();";
        let rows: Vec<&[u8]> = data.test.images[..784].chunks(28).collect();
        let answer = browser.run(evaluate, &[json!(rows)])?;
        expect("the page may ask the server", &answer["label"], &json!(data.test.labels[0].to_string()))
    })
}
