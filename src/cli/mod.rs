//! The commands. Only here and in `progress.rs` does the library speak to a terminal.

mod bench;
mod check;
mod completions;
mod configuration;
mod devices;
mod eval;
mod export;
mod models;
mod options;
mod output;
mod predict;
mod report;
mod runs;
#[cfg(feature = "serve")]
mod serve;
mod signals;
mod study;
mod train;

use crate::Error;
use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Train small image classifiers on any GPU, or on the CPU.
#[derive(Debug, Parser)]
#[command(name = "mnist-gpu", version, propagate_version = true, max_term_width = 100, after_help = EXAMPLES)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Print answers and errors only
    #[arg(short, long, global = true, conflicts_with = "verbose", display_order = 100)]
    quiet: bool,
    /// Say what is done in between, too; twice for the device's own messages
    #[arg(short, long, global = true, action = clap::ArgAction::Count, display_order = 101)]
    verbose: u8,
}

/// Columns of the narrowest terminal in which help texts keep their lines.
const HELP_COLUMNS: usize = 80;

const EXAMPLES: &str = "\
Examples:
  mnist-gpu train                       train the default on the best device
  mnist-gpu train --epochs 1 --seed 7   one pass, other initial weights
  mnist-gpu eval                        evaluate the newest run on test images
  mnist-gpu predict seven.png           read the digit on a picture
  mnist-gpu devices                     the adapters, and which one is taken

Runs are kept in the folder runs, or in the one that MNIST_GPU_RUNS names; what is found out about adapters \
in the user's cache folder, or in the one that MNIST_GPU_CACHE_DIR names. The exit code is 0 for success, 1 for \
failure, 2 for a mistake in the arguments, 130 after Ctrl-C and 143 after SIGTERM.";

#[derive(Debug, Subcommand)]
enum Command {
    Bench(bench::Args),
    Check(check::Args),
    Devices(devices::Args),
    Models(models::Args),
    Train(Box<train::Args>),
    Eval(eval::Args),
    Predict(predict::Args),
    Report(report::Args),
    Study(Box<study::Args>),
    Export(export::Args),
    #[cfg(feature = "serve")]
    Serve(serve::Args),
    Completions(completions::Args),
}

/// How a command ended, if not by an error.
enum Ending {
    Success,
    /// Part of it failed, and has said so.
    Failure,
    /// Stopped by the signal with this number, after saving.
    Signal(u8),
}

/// How much a command says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Talk {
    quiet: bool,
}

/// Runs a command to its exit code; the only place where errors become text.
pub fn run(cli: Cli) -> ExitCode {
    let level = match cli.verbose {
        0 => log::LevelFilter::Off,
        1 => log::LevelFilter::Debug,
        _ => log::LevelFilter::Trace,
    };
    let mut logger = env_logger::Builder::new();
    logger.filter_level(if cli.verbose > 1 { log::LevelFilter::Info } else { log::LevelFilter::Error });
    logger.filter_module("mnist_gpu", level).format_timestamp(None).format_target(false).init();
    let talk = Talk { quiet: cli.quiet };
    let result = match cli.command {
        Command::Bench(args) => bench::run(&args, talk),
        Command::Check(args) => check::run(&args, talk),
        Command::Models(args) => models::run(&args),
        Command::Devices(args) => devices::run(&args),
        Command::Train(args) => train::run(&args, talk),
        Command::Eval(args) => eval::run(&args, talk),
        Command::Predict(args) => predict::run(&args, talk),
        Command::Report(args) => report::run(&args, talk),
        Command::Study(args) => study::run(&args, talk),
        Command::Export(args) => export::run(&args, talk),
        #[cfg(feature = "serve")]
        Command::Serve(args) => serve::run(&args, talk),
        Command::Completions(args) => completions::run(&args),
    };
    match result {
        Ok(Ending::Success) => ExitCode::SUCCESS,
        Ok(Ending::Failure) => ExitCode::FAILURE,
        Ok(Ending::Signal(number)) => ExitCode::from(128 + number),
        Err(error) => {
            output::error(&error);
            ExitCode::from(if matches!(error, Error::Usage(_)) { 2 } else { 1 })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    /// The lines that would be broken in a terminal, or that are broken where a terminal would not.
    fn ragged(command: &clap::Command) -> Vec<String> {
        let text = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let is_paragraph = |line: &str| !line.is_empty() && !line.starts_with(' ') && !line.ends_with(':');
        let too_long = lines.iter().filter(|line| line.starts_with(' ') && line.chars().count() > HELP_COLUMNS);
        let broken = lines.windows(2).filter(|pair| pair.iter().all(|line| is_paragraph(line))).map(|pair| &pair[1]);
        let here = too_long.chain(broken).map(|line| format!("{}: {line}", command.get_name()));
        here.chain(command.get_subcommands().flat_map(ragged)).collect()
    }

    #[test]
    fn examples_fit_a_terminal_and_paragraphs_are_broken_by_it() {
        assert_eq!(ragged(&Cli::command()), Vec::<String>::new());
    }
}
