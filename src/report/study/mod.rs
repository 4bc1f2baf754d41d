//! The report of a study: figures, their table, what they say, and the plot.

mod csv;
mod figures;
mod law;
mod markdown;
mod plot;
mod words;

#[cfg(test)]
mod tests;

pub use figures::Figures;
pub use markdown::cells;
pub use words::statements;

use crate::Result;
use crate::file::write_whole;
use crate::study::Study;

/// The plot's name, without its ending: there are a .png and an .svg.
pub const PLOT: &str = "training_performance";
/// All figures, for programs.
pub const JSON_FILE: &str = "study.json";
/// A row for each cell.
pub const CSV_FILE: &str = "study.csv";
/// The report to read.
pub const MARKDOWN_FILE: &str = "study.md";

/// Writes the report of the cells that are there; none where no cell has come to its end.
///
/// Another process may finish a cell meanwhile and write a report of more cells, which this one would replace: so it looks
/// once more when all is written. The process that writes last has then seen every cell.
pub fn write(study: &Study) -> Result<Option<Figures>> {
    loop {
        let names = study.names()?;
        let figures = Figures::of(&study.load()?);
        if let Some(figures) = &figures {
            save(figures, study)?;
        }
        if study.names()? == names {
            return Ok(figures);
        }
    }
}

fn save(figures: &Figures, study: &Study) -> Result<()> {
    let folder = study.folder();
    let mut json = serde_json::to_vec_pretty(figures).expect("figures are plain data");
    json.push(b'\n');
    write_whole(&folder.join(JSON_FILE), &json)?;
    write_whole(&folder.join(CSV_FILE), csv::csv(figures).as_bytes())?;
    plot::draw(figures)?.save(folder, PLOT)?;
    write_whole(&folder.join(MARKDOWN_FILE), markdown::markdown(figures).as_bytes())
}
