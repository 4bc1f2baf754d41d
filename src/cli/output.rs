//! Writing to stdout and stderr.

pub use crate::report::numbers::thousands;
use crate::{Error, Result};
use anstream::eprintln;
use clap::builder::styling::{AnsiColor, Style};
use std::io::{ErrorKind, Write};

/// Writes a line to stdout. A reader that has gone away has seen enough: the process ends with success.
pub fn line(text: &str) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
        result => result.map_err(Error::io("write", "stdout")),
    }
}

/// Writes a line about work that goes on without a reader, too: one that has gone away does not end it.
pub fn tell(text: &str) -> Result<()> {
    match writeln!(std::io::stdout().lock(), "{text}") {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result.map_err(Error::io("write", "stdout")),
    }
}

/// Writes an error to stderr.
pub fn error(error: &Error) {
    let red = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
    eprintln!("{red}error:{red:#} {error}");
}

/// Writes a remark to stderr.
pub fn note(text: &str) {
    eprintln!("{text}");
}
