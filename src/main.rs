//! The command line: parse, run, exit code.

use clap::Parser;
use mnist_gpu::cli::{Cli, run};
use std::process::ExitCode;

fn main() -> ExitCode {
    // Mesa's layer that reorders Vulkan devices asks the display server for its choice, and complains on stderr where there
    // is none. The program chooses by itself.
    // SAFETY: no other thread runs yet.
    unsafe { std::env::set_var("NODEVICE_SELECT", "1") };
    run(Cli::parse())
}
