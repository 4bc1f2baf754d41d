//! The report of a benchmark: figures, their tables, and the plot.

mod markdown;
mod plot;

use crate::bench::{Bench, FORMAT};
use crate::device::DeviceInfo;
use crate::file::write_whole;
use crate::{Error, Result};
use std::path::Path;

/// All figures, for programs.
pub const JSON_FILE: &str = "bench.json";
/// The tables to read.
pub const MARKDOWN_FILE: &str = "bench.md";
/// The plot's name, without its ending: there are a .png and an .svg.
pub const PLOT: &str = "bench";

/// Writes the report of a benchmark that this command line made.
pub fn write(bench: &Bench, command: &str, folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(Error::io("create the folder", folder))?;
    let mut json = serde_json::to_vec_pretty(bench).expect("figures are plain data");
    json.push(b'\n');
    write_whole(&folder.join(JSON_FILE), &json)?;
    plot::draw(bench)?.save(folder, PLOT)?;
    write_whole(&folder.join(MARKDOWN_FILE), markdown::markdown(bench, command).as_bytes())
}

/// Reads the figures of a benchmark.
///
/// # Errors
/// When the file cannot be read, is no benchmark, or one of another version.
pub fn read(path: &Path) -> Result<Bench> {
    let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
    let unfit = |problem: String| Error::format(path, format!("is no benchmark: {problem}"));
    let value: serde_json::Value = serde_json::from_slice(&bytes).map_err(|error| unfit(error.to_string()))?;
    match value["format"].as_u64() {
        Some(format) if format == u64::from(FORMAT) => {
            serde_json::from_value(value).map_err(|error| unfit(error.to_string()))
        }
        Some(format) => Err(unfit(format!("expected format {FORMAT}, found {format}; measure again to compare"))),
        None => Err(unfit("expected a field \"format\", found none".into())),
    }
}

/// A device in a few words.
fn short(device: &DeviceInfo) -> String {
    let name = device.name.split(" (").next().unwrap_or_default();
    if device.backend == device.kind { name.into() } else { format!("{name}, {}", device.backend) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::example::example;

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        write(&example(), "mnist-gpu bench", folder.path()).expect("written");
        assert_eq!(read(&folder.path().join(JSON_FILE)).expect("read"), example());
        for name in [MARKDOWN_FILE, "bench.png", "bench.svg"] {
            assert!(folder.path().join(name).is_file(), "{name}");
        }
    }

    #[test]
    fn what_is_no_benchmark_says_why() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("old.json");
        for (text, words) in [
            ("{", "no benchmark"),
            ("{}", "expected a field \"format\""),
            ("{\"format\": 1}", "expected format 2, found 1"),
            ("{\"format\": 2}", "missing field"),
        ] {
            std::fs::write(&path, text).expect("written");
            let error = read(&path).expect_err(text).to_string();
            assert!(error.contains(words) && error.contains("old.json"), "{error}");
        }
    }
}
