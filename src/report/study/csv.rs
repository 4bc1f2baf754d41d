//! study.csv: a row for each cell.

use super::figures::{CellRow, Figures};

const COLUMNS: &str =
    "train_size,seed,test_loss,test_accuracy,train_loss,train_accuracy,epochs,steps,seconds,device,version";

/// The cells; of one that diverged, the figures are empty.
pub fn csv(figures: &Figures) -> String {
    let mut text = format!("{COLUMNS}\n");
    for CellRow { cell, scores, epochs, steps, seconds, device, version } in &figures.cells {
        let scores = scores.map_or([None; 4], |scores| {
            [scores.test_loss, scores.test_accuracy, scores.train_loss, scores.train_accuracy].map(Some)
        });
        let scores = scores.map(|score| score.map_or(String::new(), |score| score.to_string())).join(",");
        let (train_size, seed) = (cell.train_size, cell.seed);
        let [device, version] = [device, version].map(|text| quoted(text));
        text.push_str(&format!("{train_size},{seed},{scores},{epochs},{steps},{seconds},{device},{version}\n"));
    }
    text
}

/// A text as a field of CSV (RFC 4180).
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.into() }
}

#[cfg(test)]
mod tests {
    #[test]
    fn texts_with_commas_are_quoted() {
        assert_eq!(super::quoted("CPU (AVX2, 2 threads)"), "\"CPU (AVX2, 2 threads)\"");
        assert_eq!(super::quoted("a \"b\", c"), "\"a \"\"b\"\", c\"");
        assert_eq!(super::quoted("0.1.0"), "0.1.0");
    }
}
