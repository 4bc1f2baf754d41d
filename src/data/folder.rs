//! A data set in a folder of IDX files under their usual names, compressed with gzip or not.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::dataset::{CLASSES, Dataset, Split};
use super::{gzip, idx};
use crate::{Error, Result};

/// The four files of a set: the names under which each is looked for, in order of preference, without `.gz`.
const FILES: [&[&str]; 4] = [
    &["train-images-idx3-ubyte", "train-images.idx3-ubyte"],
    &["train-labels-idx1-ubyte", "train-labels.idx1-ubyte"],
    &["t10k-images-idx3-ubyte", "t10k-images.idx3-ubyte", "test-images-idx3-ubyte", "test-images.idx3-ubyte"],
    &["t10k-labels-idx1-ubyte", "t10k-labels.idx1-ubyte", "test-labels-idx1-ubyte", "test-labels.idx1-ubyte"],
];
/// The most bytes of a `labels.txt`.
const MAX_LABELS_TXT: u64 = 1 << 16;

/// The paths of the four files, in the order of [`FILES`], and how good each name is (lower is better).
type Found = [Option<(usize, PathBuf)>; 4];

impl Dataset {
    /// Reads the set in a folder.
    ///
    /// The files are `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and
    /// `t10k-labels-idx1-ubyte`, each also as `train-images.idx3-ubyte` and so on, as `test-…` instead of `t10k-…`, and
    /// with `.gz`. All may share a prefix, such as `emnist-letters-`, if the folder holds one such set only; files
    /// without a prefix come first. `labels.txt`, if there is one, names the classes, one per line; else there are as
    /// many as the largest label says, named by their numbers.
    pub fn from_folder(folder: &Path) -> Result<Self> {
        let (prefix, paths) = locate(folder)?;
        let [train_images, train_labels, test_images, test_labels] = &paths;
        let (train, sides) = read_split(train_images, train_labels)?;
        let (test, test_sides) = read_split(test_images, test_labels)?;
        if sides != test_sides {
            let ([height, width], [test_height, test_width]) = (sides, test_sides);
            let problem = format!(
                "expected images of {height}×{width} pixels as in {}, found {test_height}×{test_width} (bytes 8 to 16)",
                train_images.display()
            );
            return Err(Error::format(test_images, problem));
        }
        let most = train.labels.iter().chain(&test.labels).max().map_or(0, |&label| usize::from(label));
        let classes = match class_names(&folder.join("labels.txt"))? {
            Some(classes) => classes,
            None if most == 0 => {
                let problem = "expected at least 2 classes, but every label of the set is 0; name them in labels.txt";
                return Err(Error::format(train_labels, problem));
            }
            None => (0..=most).map(|class| class.to_string()).collect(),
        };
        for (split, path) in [(&train, train_labels), (&test, test_labels)] {
            if let Some(index) = split.labels.iter().position(|&label| usize::from(label) >= classes.len()) {
                let (label, names) = (split.labels[index], classes.len());
                let byte = 8 + index;
                let problem = format!("the label at byte {byte} is {label}, but labels.txt names {names} classes");
                return Err(Error::format(path, problem));
            }
        }
        let name = if prefix.is_empty() { folder_name(folder) } else { prefix };
        Self::from_splits(name, sides, classes, train, test)
    }
}

fn folder_name(folder: &Path) -> String {
    let absolute = folder.canonicalize().unwrap_or_else(|_| folder.into());
    absolute.file_name().map_or_else(|| "data".into(), |name| name.to_string_lossy().into_owned())
}

/// Finds the four files and the prefix that they share, without its trailing punctuation.
fn locate(folder: &Path) -> Result<(String, [PathBuf; 4])> {
    let mut sets = BTreeMap::<String, Found>::new();
    for entry in fs::read_dir(folder).map_err(Error::io("read the folder", folder))? {
        let path = entry.map_err(Error::io("read the folder", folder))?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        let Some((prefix, file, rank)) = recognize(name) else { continue };
        let place = &mut sets.entry(prefix.into()).or_default()[file];
        if path.is_file() && place.as_ref().is_none_or(|(best, _)| rank < *best) {
            *place = Some((rank, path));
        }
    }
    let complete: Vec<&str> =
        sets.iter().filter(|(_, found)| found.iter().all(Option::is_some)).map(|(prefix, _)| &**prefix).collect();
    let chosen = match complete[..] {
        [] => return Err(missing(folder, &sets)),
        [first, ..] if first.is_empty() || complete.len() == 1 => first.to_owned(),
        _ => {
            let problem = format!(
                "expected one data set, found {} (files beginning with {}); put each in a folder of its own",
                complete.len(),
                complete.join(", ")
            );
            return Err(Error::format(folder, problem));
        }
    };
    let found = sets.remove(&chosen).expect("the chosen prefix is one of those found");
    let paths = found.map(|place| place.expect("a complete set has all four files").1);
    Ok((chosen.trim_end_matches(['-', '_', '.', ' ']).into(), paths))
}

/// Splits a file name into prefix, index into [`FILES`] and rank among that file's names; `None` for other files.
fn recognize(name: &str) -> Option<(&str, usize, usize)> {
    let (plain, compressed) = name.strip_suffix(".gz").map_or((name, 0), |plain| (plain, 1));
    FILES.iter().enumerate().find_map(|(file, names)| {
        let (rank, prefix) = names
            .iter()
            .enumerate()
            .find_map(|(rank, usual)| plain.strip_suffix(usual).map(|prefix| (2 * rank + compressed, prefix)))?;
        Some((prefix, file, rank))
    })
}

/// The error that names the first missing file of the set that misses the fewest.
fn missing(folder: &Path, sets: &BTreeMap<String, Found>) -> Error {
    let lacks = |found: &Found| found.iter().filter(|place| place.is_none()).count();
    let (prefix, first) = match sets.iter().min_by_key(|(_, found)| lacks(found)) {
        Some((prefix, found)) => (&**prefix, found.iter().position(Option::is_none).unwrap_or(0)),
        None => ("", 0),
    };
    let names: Vec<String> = FILES[first].iter().map(|usual| format!("{prefix}{usual}")).collect();
    let problem = format!(
        "{} is missing from the folder; looked for {} (each also with .gz{})",
        names[0],
        names.join(", "),
        if prefix.is_empty() { " or with a prefix that all four files share" } else { "" }
    );
    Error::format(folder, problem)
}

fn read_split(images_path: &Path, labels_path: &Path) -> Result<(Split, [u32; 2])> {
    let images = idx::read_images(gzip::open(images_path)?, images_path)?;
    let labels = idx::read_labels(gzip::open(labels_path)?, labels_path)?;
    if labels.len() != images.count as usize {
        let (count, path) = (images.count, images_path.display());
        let problem =
            format!("expected {count} labels at byte 4, one for each image of {path}, found {}", labels.len());
        return Err(Error::format(labels_path, problem));
    }
    Ok((Split { images: images.pixels, labels }, [images.height, images.width]))
}

/// The names in `labels.txt`, one per line; `None` if there is no such file.
fn class_names(path: &Path) -> Result<Option<Vec<String>>> {
    if !path.exists() {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(Error::io("open", path))?;
    file.take(MAX_LABELS_TXT + 1).read_to_end(&mut bytes).map_err(Error::io("read", path))?;
    if bytes.len() as u64 > MAX_LABELS_TXT {
        return Err(Error::format(path, format!("expected at most {MAX_LABELS_TXT} bytes, found more")));
    }
    let text = str::from_utf8(&bytes).map_err(|error| {
        let byte = error.valid_up_to();
        Error::format(path, format!("expected UTF-8 text, found {:#04x} at byte {byte}", bytes[byte]))
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).trim_end();
    let mut classes: Vec<String> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let name = line.trim();
        let problem = if name.is_empty() {
            "is empty; expected the name of a class".into()
        } else if name.contains(char::is_control) {
            format!("is {name:?}; expected no control characters")
        } else if let Some(first) = classes.iter().position(|class| class == name) {
            format!("is {name:?}, like line {}; expected another name for each class", first + 1)
        } else {
            classes.push(name.into());
            continue;
        };
        return Err(Error::format(path, format!("line {} {problem}", index + 1)));
    }
    if !CLASSES.contains(&classes.len()) {
        let (least, most) = (CLASSES.start(), CLASSES.end());
        let problem = format!("expected {least} to {most} classes, one per line, found {}", classes.len());
        return Err(Error::format(path, problem));
    }
    Ok(Some(classes))
}
