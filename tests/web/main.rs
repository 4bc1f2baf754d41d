//! The exported site: its programs replayed natively, and its page in a real browser.
//!
//! The trials of the page need Chromium and its driver (`chromedriver`): without them they are reported as ignored; with
//! `MNIST_GPU_REQUIRE_BROWSER=1` they fail.

mod driver;
mod interpreter;
#[path = "../joined/mod.rs"]
mod joined;
mod modules;
mod page;
#[allow(dead_code, unused_imports)] // Other tests draw on them, too.
#[path = "../pictures/mod.rs"]
mod pictures;
#[allow(dead_code)] // Other tests end it by signals.
#[path = "../serve/program.rs"]
mod program;
mod replay;
mod served;
mod server;
mod site;
mod visit;

use libtest_mimic::{Arguments, Failed, Trial};
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // A browser starts and compiles shaders on one core; a software adapter that executes them fills every one.
    arguments.test_threads.get_or_insert(2);
    let browser = driver::available();
    let trials = [interpreter::TRIALS, modules::TRIALS, served::TRIALS, page::TRIALS];
    let in_browser = trials.concat().into_iter().map(|(name, test)| {
        trial(name.to_owned(), browser.clone(), "MNIST_GPU_REQUIRE_BROWSER", move || test().map_err(Failed::from))
    });
    let trials = replay::trials().into_iter().chain(in_browser).collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    visit::close();
    conclusion.exit_code()
}

/// A trial in the browser: its name, and what it does or why it fails.
type InBrowser = (&'static str, fn() -> Result<(), String>);

/// A trial that runs where what it needs is there, is ignored where it is not, and fails there if the environment variable
/// demands it.
fn trial(
    name: String,
    needs: Result<(), String>,
    variable: &str,
    test: impl FnOnce() -> Result<(), Failed> + Send + 'static,
) -> Trial {
    let required = std::env::var(variable).is_ok_and(|value| value == "1");
    let ignored = needs.is_err() && !required;
    joined::trial(name, move || needs.map_err(Failed::from).and_then(|()| test())).with_ignored_flag(ignored)
}

/// Fails with what differs from what is expected.
fn expect<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, expected: &T) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{what}: {found:?} instead of {expected:?}")) }
}
