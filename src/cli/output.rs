//! Writing to stdout and stderr.

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

/// Writes an error to stderr.
pub fn error(error: &Error) {
    let red = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
    eprintln!("{red}error:{red:#} {error}");
}

/// Writes a remark to stderr.
pub fn note(text: &str) {
    eprintln!("{text}");
}

/// A whole number with its thousands set apart.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn thousands_are_set_apart() {
        let texts = [0, 999, 1_000, 60_000, 1_234_567].map(super::thousands);
        assert_eq!(texts, ["0", "999", "1,000", "60,000", "1,234,567"]);
    }
}
