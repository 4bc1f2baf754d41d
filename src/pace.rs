//! How many steps a device gets in one go.

use std::time::Duration;

/// How long a chunk of steps should take: short enough for a progress bar and for the watchdogs of drivers.
const CHUNK_TIME: Duration = Duration::from_millis(50);

/// The steps of the next chunk, from how long the last ones took.
#[derive(Debug)]
pub struct Pace {
    steps: u32,
    most: u32,
}

impl Pace {
    /// Begins with one step, and goes up to so many.
    pub fn up_to(most: u32) -> Self {
        Self { steps: 1, most }
    }

    /// Steps of the next chunk.
    pub fn steps(&self) -> u32 {
        self.steps
    }

    /// A chunk took so long.
    pub fn took(&mut self, time: Duration) {
        if time < CHUNK_TIME / 2 {
            self.steps = (self.steps * 2).min(self.most);
        } else if time > CHUNK_TIME * 2 {
            self.steps = (self.steps / 2).max(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_grow_while_they_are_short_and_shrink_while_they_are_long() {
        let mut pace = Pace::up_to(12);
        let mut after = |milliseconds| {
            pace.took(Duration::from_millis(milliseconds));
            pace.steps()
        };
        assert_eq!([1, 1, 1, 1, 1].map(&mut after), [2, 4, 8, 12, 12]);
        assert_eq!([50, 101, 101, 3_000, 3_000, 3_000].map(&mut after), [12, 6, 3, 1, 1, 1]);
    }
}
