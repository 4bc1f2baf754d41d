//! `mnist-gpu serve`: the real program, asked by clients of all kinds.

mod client;
mod limits;
mod page;
mod predict;
#[cfg_attr(not(unix), allow(dead_code))] // Signals are sent on Unix alone.
mod program;
mod refused;
mod start;
#[cfg(unix)]
mod stop;

use client::{Answer, Client};
use mnist_gpu::data::{Dataset, Split};
use program::Program;
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_mnist-gpu");
const PNG: [(&str, &str); 1] = [("Content-Type", "image/png")];
const JSON: [(&str, &str); 1] = [("Content-Type", "application/json")];

/// A folder with a small set of MNIST's images and a model that was trained on it.
struct Place {
    folder: TempDir,
    test: Split,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mnist = Dataset::mnist();
        let part = |split: &Split, count: usize| Split {
            images: split.images[..784 * count].to_vec(),
            labels: split.labels[..count].to_vec(),
        };
        let (train, test) = (part(&mnist.train, 2000), part(&mnist.test, 100));
        fs::create_dir(folder.path().join("data")).expect("made");
        for (name, split) in [("train", &train), ("t10k", &test)] {
            let write = |kind: &str, extents: &[u32], bytes: &[u8]| {
                let header: Vec<u8> = extents.iter().flat_map(|word| word.to_be_bytes()).collect();
                let path = folder.path().join(format!("data/{name}-{kind}-ubyte"));
                fs::write(path, [&header, bytes].concat()).expect("written");
            };
            let count = split.len() as u32;
            write("images-idx3", &[0x803, count, 28, 28], &split.images);
            write("labels-idx1", &[0x801, count], &split.labels);
        }
        let train =
            ["train", "--model", "mlp", "--device", "cpu", "--epochs", "2", "--no-report", "--quiet", "--out", "run"];
        let trained =
            Command::new(PROGRAM).args(train).args(["--data-dir", "data"]).current_dir(folder.path()).status();
        assert!(trained.expect("the program runs").success());
        Self { folder, test }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A server for the model.
    fn serve(&self, options: &[&str]) -> Program {
        Program::start(PROGRAM, &self.path().join("run"), options)
    }

    /// A test image as the data have it.
    fn image(&self, number: usize) -> &[u8] {
        &self.test.images[784 * number..][..784]
    }

    /// A test image as JSON.
    fn rows(&self, number: usize) -> String {
        serde_json::to_string(&self.image(number).chunks(28).collect::<Vec<_>>()).expect("numbers")
    }

    /// A test image as a picture that a person might send: dark on light, four times as large.
    fn png(&self, number: usize) -> Vec<u8> {
        let digit = self.image(number);
        let pixel = |x: u32, y: u32| [250 - digit[(y / 4 * 28 + x / 4) as usize] / 5 * 4].into();
        let mut file = std::io::Cursor::new(Vec::new());
        image::GrayImage::from_fn(112, 112, pixel).write_to(&mut file, image::ImageFormat::Png).expect("memory");
        file.into_inner()
    }
}

impl Program {
    fn client(&self) -> Client {
        Client::connect(self.port).expect("it listens")
    }

    /// An answer on a connection of its own.
    fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        self.client().request(method, path, headers, body).expect("an answer")
    }

    fn predict(&self, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        self.ask("POST", "/v1/predict", headers, body)
    }

    /// A sample of the metrics by its name and labels; nothing where it has not been counted yet.
    fn metric(&self, name: &str) -> Option<f64> {
        let text = String::from_utf8(self.ask("GET", "/metrics", &[], b"").body).expect("UTF-8");
        text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
    }
}

/// Asserts a status, and an error that contains these words.
#[track_caller]
fn assert_refused(answer: &Answer, status: u16, words: &str) {
    let json = answer.json();
    let error = json["error"].as_str().unwrap_or_default();
    assert!(answer.status == status && error.contains(words), "{status} {words:?}: {answer:?} {json}");
    assert_eq!(answer.header("content-type"), Some("application/json"));
}
