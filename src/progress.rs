//! Progress within an epoch: a bar on a terminal, now and then a line elsewhere.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// How often a line is written where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// The progress of a training run, on stderr.
pub struct Progress {
    bar: Option<ProgressBar>,
    lines: bool,
    epochs: u32,
    images: u64,
    last_line: Instant,
    epoch_began: Instant,
}

impl Progress {
    /// For so many epochs of so many images; silent if told so.
    pub fn new(epochs: u32, images: u64, silent: bool) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let style = "{prefix} {bar:28} {human_pos}/{human_len} images  {msg}  {elapsed} gone, {eta} to go";
        let bar = (terminal && !silent).then(|| {
            let bar = ProgressBar::with_draw_target(Some(images), ProgressDrawTarget::stderr_with_hz(10));
            bar.set_style(ProgressStyle::with_template(style).expect("the template is right").progress_chars("━╸ "));
            bar
        });
        let now = Instant::now();
        Self { bar, lines: !terminal && !silent, epochs, images, last_line: now, epoch_began: now }
    }

    /// An epoch, counted from 1, begins.
    pub fn begin(&mut self, epoch: u32) {
        self.epoch_began = Instant::now();
        if let Some(bar) = &self.bar {
            bar.reset();
            bar.set_prefix(format!("epoch {epoch}/{}", self.epochs));
        }
    }

    /// So many images of the epoch are done; the loss is the last chunk's.
    pub fn advance(&mut self, epoch: u32, images: u64, loss: f64) {
        let rate = images as f64 / self.epoch_began.elapsed().as_secs_f64().max(1e-9);
        if let Some(bar) = &self.bar {
            bar.set_message(format!("{rate:.0}/s, loss {loss:.4}"));
            bar.set_position(images);
        } else if self.lines && self.last_line.elapsed() >= LINE_EVERY {
            self.last_line = Instant::now();
            let left = (self.images - images) as f64 / rate;
            // Progress is a courtesy: whoever closed stderr goes without.
            let _ = writeln!(
                std::io::stderr(),
                "epoch {epoch}/{}: {images} of {} images, {rate:.0} images/s, loss {loss:.4}, {left:.0} s to go",
                self.epochs,
                self.images
            );
        }
    }

    /// Takes the bar away, so that a line can be written.
    pub fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// The progress of a study over all of its cells, on stderr.
pub struct CellProgress {
    bar: Option<ProgressBar>,
    lines: bool,
    cells: usize,
    /// The cell that is run, in words.
    cell: String,
    /// Work of all cells, and of those that are done, in any unit.
    work: u64,
    done: u64,
    began: Instant,
    last_line: Instant,
}

impl CellProgress {
    /// For so many cells of so much work together; silent if told so.
    pub fn new(cells: usize, work: u64, silent: bool) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let bar = (terminal && !silent).then(|| {
            let bar = ProgressBar::with_draw_target(Some(work), ProgressDrawTarget::stderr_with_hz(10));
            let style = ProgressStyle::with_template("{prefix} {bar:28} {percent} %  {msg}");
            bar.set_style(style.expect("the template is right").progress_chars("━╸ "));
            bar
        });
        let (now, lines) = (Instant::now(), !terminal && !silent);
        Self { bar, lines, cells, cell: String::new(), work, done: 0, began: now, last_line: now }
    }

    /// A cell, counted from 1, begins.
    pub fn begin(&mut self, number: usize, cell: &str) {
        self.cell = format!("cell {number}/{}, {cell}", self.cells);
        if let Some(bar) = &self.bar {
            bar.reset();
            bar.set_prefix(self.cell.clone());
            bar.set_position(self.done);
        }
    }

    /// The cell that is run is in an epoch, and has done so much work.
    pub fn advance(&mut self, epoch: u32, epochs: u32, cell_done: u64) {
        let done = self.done + cell_done;
        let left = self.began.elapsed().mul_f64((self.work.saturating_sub(done)) as f64 / done.max(1) as f64);
        let left = indicatif::HumanDuration(left);
        if let Some(bar) = &self.bar {
            bar.set_message(format!("epoch {epoch}/{epochs}, {left} to go"));
            bar.set_position(done);
        } else if self.lines && self.last_line.elapsed() >= LINE_EVERY {
            self.last_line = Instant::now();
            let share = 100 * done / self.work.max(1);
            // Progress is a courtesy: whoever closed stderr goes without.
            let _ =
                writeln!(std::io::stderr(), "{}, epoch {epoch}/{epochs}: {share} % of all, {left} to go", self.cell);
        }
    }

    /// A cell of so much work is done.
    pub fn end(&mut self, work: u64) {
        self.done += work;
    }

    /// A cell of so much work need not be done.
    pub fn skip(&mut self, work: u64) {
        self.work -= work;
        if let Some(bar) = &self.bar {
            bar.set_length(self.work);
        }
    }

    /// Takes the bar away, so that a line can be written.
    pub fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
