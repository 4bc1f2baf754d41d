//! Asks a server from many clients at once, hostile ones among them, and checks that no answer is wrong, that it goes on, and
//! that neither its memory nor its open files grow.
//!
//!     cargo bench --bench serve -- --seconds 60 --clients 8

#[allow(dead_code)] // The tests ask for more of an answer.
#[path = "../tests/serve/client.rs"]
mod client;
#[allow(dead_code)] // The tests end it by signals, too.
#[path = "../tests/serve/program.rs"]
mod program;

use clap::Parser;
use client::{Client, message};
use mnist_gpu::data::{Dataset, Split};
use program::Program;
use serde_json::Value;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Load a server with good and with hostile requests
#[derive(Parser)]
struct Args {
    /// How long
    #[arg(long, default_value_t = 60.0)]
    seconds: f64,
    /// Clients that ask one request after another; half as many more are hostile
    #[arg(long, default_value_t = 8)]
    clients: usize,
    /// The preset that answers, trained for an epoch
    #[arg(long, default_value = "cnn")]
    model: String,
    /// What `cargo bench` says to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

const PROGRAM: &str = env!("CARGO_BIN_EXE_mnist-gpu");
const PNG: [(&str, &str); 1] = [("Content-Type", "image/png")];
const JSON: [(&str, &str); 1] = [("Content-Type", "application/json")];
/// Different questions, of which every second is a picture.
const QUESTIONS: usize = 40;
/// What the server's memory may grow by after a sixth of the time: an allocator's rest, in kB.
const GROWTH: u64 = 16 << 10;

/// A body, its type, and the right answer.
type Question = ([(&'static str, &'static str); 1], Vec<u8>, Value);

fn main() {
    let args = Args::parse();
    let folder = tempfile::tempdir().expect("a folder");
    let run = folder.path().join("run");
    let train =
        ["train", "--epochs", "1", "--device", "cpu", "--quiet", "--no-report", "--model", &args.model, "--out"];
    assert!(Command::new(PROGRAM).args(train).arg(&run).status().expect("runs").success());
    let server = Program::start(PROGRAM, &run, &["--timeout", "1", "--max-body", "1000000"]);
    let test = Dataset::mnist_test().test;
    let mut serial = Client::connect(server.port).expect("it listens");
    let questions: Vec<Question> = (0..QUESTIONS)
        .map(|number| {
            let (kind, body) = if number % 2 == 0 { (JSON, rows(&test, number)) } else { (PNG, png(&test, number)) };
            let answer = serial.request("POST", "/v1/predict", &kind, &body).expect("an answer");
            assert_eq!(answer.status, 200);
            (kind, body, answer.json())
        })
        .collect();
    drop(serial);
    settle(&server);
    let (files, began) = (open_files(&server), Instant::now());
    let (ended, hostile, warm) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    let (mut seconds, took): (Vec<f64>, f64) = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..args.clients)
            .map(|first| {
                let (port, questions, ended) = (server.port, &questions, &ended);
                scope.spawn(move || ask(port, questions, first, ended))
            })
            .collect();
        for first in 0..args.clients.div_ceil(2) {
            let (port, hostile, ended) = (server.port, &hostile, &ended);
            scope.spawn(move || {
                for turn in first.. {
                    if ended.load(Ordering::Relaxed) {
                        break;
                    }
                    offend(port, turn);
                    hostile.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        std::thread::sleep(Duration::from_secs_f64(args.seconds / 6.0));
        warm.store(memory(&server), Ordering::Relaxed);
        std::thread::sleep(Duration::from_secs_f64(args.seconds / 6.0 * 5.0));
        ended.store(true, Ordering::Relaxed);
        let seconds = clients.into_iter().flat_map(|client| client.join().expect("every answer was right")).collect();
        // The hostile clients wait for their last timeout still.
        (seconds, began.elapsed().as_secs_f64())
    });
    settle(&server);
    let (before, after, left) = (warm.load(Ordering::Relaxed), memory(&server), open_files(&server));
    seconds.sort_by(f64::total_cmp);
    let quantile = |share: f64| 1000.0 * seconds[((seconds.len() - 1) as f64 * share) as usize];
    println!(
        "| clients | hostile requests | right answers | answers/s | p50, ms | p99, ms | memory, MB | open files |"
    );
    println!("|---:|---:|---:|---:|---:|---:|---:|---:|");
    println!(
        "| {} | {} | {} | {:.0} | {:.2} | {:.2} | {} → {} | {files} → {left} |",
        args.clients,
        hostile.into_inner(),
        seconds.len(),
        seconds.len() as f64 / took,
        quantile(0.5),
        quantile(0.99),
        before / 1000,
        after / 1000,
    );
    assert!(after <= before + GROWTH, "memory grew from {before} to {after} kB");
    assert_eq!(left, files, "files are left open");
}

/// Asks one question after another, and compares each answer with the right one; gives how long each took, in seconds.
fn ask(port: u16, questions: &[Question], first: usize, ended: &AtomicBool) -> Vec<f64> {
    let mut client = Client::connect(port).expect("it listens");
    let mut seconds = Vec::new();
    for turn in (first * 7).. {
        if ended.load(Ordering::Relaxed) {
            break;
        }
        let (kind, body, expected) = &questions[turn % questions.len()];
        let clock = Instant::now();
        let answer = client.request("POST", "/v1/predict", kind, body).expect("an answer");
        seconds.push(clock.elapsed().as_secs_f64());
        assert!(answer.status == 200 && answer.json() == *expected, "{answer:?} instead of {expected}");
    }
    seconds
}

/// Does what clients should not, and checks what it is told.
fn offend(port: u16, turn: usize) {
    let mut client = Client::connect(port).expect("it listens");
    let predict = |headers: &[(&str, &str)], body: &[u8]| message("POST", "/v1/predict", headers, body);
    let (bytes, status) = match turn % 9 {
        0 => (predict(&PNG, &vec![0; 2_000_000]), 413),
        1 => (predict(&PNG, b"no picture"), 422),
        2 => (predict(&JSON, "[".repeat(100_000).as_bytes()), 422),
        3 => (predict(&JSON, b"[[1e999, NaN"), 400),
        4 => (predict(&[("Content-Type", "text/html")], b"<p>"), 415),
        5 => (message("BREW", "/v1/predict", &[], b""), 405),
        6 => (b"\0\xff\r\n\r\n".to_vec(), 400),
        // Slow: what is missing never comes.
        7 => (predict(&PNG, &[0; 100])[..90].to_vec(), 408),
        _ => {
            // Where the server has closed already, it was told enough.
            let _ = client.send(&predict(&PNG, &[0; 1000])[..500]);
            return client.cut();
        }
    };
    client.send(&bytes).expect("the server reads on");
    assert_eq!(client.answer(false).expect("an answer").status, status, "kind {}", turn % 9);
}

/// Waits until no connection is left but the one that asks.
fn settle(server: &Program) {
    loop {
        let mut client = Client::connect(server.port).expect("it listens");
        let answer = client.request("GET", "/metrics", &[("Connection", "close")], b"").expect("an answer");
        if String::from_utf8_lossy(&answer.body).contains("\nmnist_gpu_connections 1\n") {
            return assert!(client.is_ended());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The server's resident memory in kB; 0 where the system does not say.
fn memory(server: &Program) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

/// How many files and connections the server has open when it has come to rest; 0 where the system does not say.
fn open_files(server: &Program) -> usize {
    let count = || std::fs::read_dir(format!("/proc/{}/fd", server.id())).map_or(0, Iterator::count);
    // The last connection takes a moment to close on the server's side.
    let counts = (0..25).map(|_| {
        std::thread::sleep(Duration::from_millis(20));
        count()
    });
    counts.min().unwrap_or(0)
}

fn rows(test: &Split, number: usize) -> Vec<u8> {
    let image: Vec<&[u8]> = test.images[784 * number..][..784].chunks(28).collect();
    serde_json::to_vec(&image).expect("numbers")
}

/// A test image in dark ink on light paper, four times as large.
fn png(test: &Split, number: usize) -> Vec<u8> {
    let digit = &test.images[784 * number..][..784];
    let pixel = |x: u32, y: u32| [250 - digit[(y / 4 * 28 + x / 4) as usize] / 5 * 4].into();
    let mut file = std::io::Cursor::new(Vec::new());
    image::GrayImage::from_fn(112, 112, pixel).write_to(&mut file, image::ImageFormat::Png).expect("memory");
    file.into_inner()
}
