//! Two benchmarks beside each other: how much faster each row has become.

use super::figures::{Bench, DeviceBench};
use crate::device::DeviceInfo;

/// A row that both benchmarks have.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The device.
    pub device: DeviceInfo,
    /// What was timed.
    pub what: String,
    /// Median seconds, before and now.
    pub seconds: [f64; 2],
}

impl Change {
    /// How many times as fast it is now.
    pub fn speedup(&self) -> f64 {
        self.seconds[0] / self.seconds[1]
    }

    /// Whether it takes longer by more than a share.
    pub fn is_slower(&self, tolerance: f64) -> bool {
        self.seconds[1] > self.seconds[0] * (1.0 + tolerance)
    }
}

/// What two benchmarks have in common, and what only one of them has.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comparison {
    /// Rows of both, in the order of the new one.
    pub changes: Vec<Change>,
    /// Rows of the old one alone.
    pub gone: Vec<String>,
    /// Rows of the new one alone.
    pub added: Vec<String>,
}

impl Comparison {
    /// Of an old benchmark and a new one. Devices are the same where name, interface and driver are.
    pub fn of(old: &Bench, new: &Bench) -> Self {
        let (old, new) = (rows(old), rows(new));
        let within = |rows: &[Row], row: &Row| rows.iter().any(|other| other.is(row));
        let only = |rows: &[Row], others: &[Row]| -> Vec<String> {
            rows.iter().filter(|row| !within(others, row)).map(|row| format!("{}: {}", row.device, row.what)).collect()
        };
        let both = new.iter().filter_map(|row| Some((row, old.iter().find(|other| other.is(row))?)));
        let changes = both.map(|(row, before)| Change {
            device: row.device.clone(),
            what: row.what.clone(),
            seconds: [before.seconds, row.seconds],
        });
        Self { changes: changes.collect(), gone: only(&old, &new), added: only(&new, &old) }
    }
}

struct Row<'a> {
    device: &'a DeviceInfo,
    what: String,
    seconds: f64,
}

impl Row<'_> {
    fn is(&self, other: &Row) -> bool {
        self.device == other.device && self.what == other.what
    }
}

fn rows(bench: &Bench) -> Vec<Row<'_>> {
    let of_device = |found: &'_ DeviceBench| -> Vec<(String, f64)> {
        let kernels = found.kernels.iter().map(|row| (format!("{}, {}", row.op, row.kernel), row.seconds.median));
        let steps = found.steps.iter().map(|row| (format!("{}, {}", row.workload, row.kind), row.seconds.median));
        let processes =
            found.processes.iter().map(|row| (format!("{}, {}", row.workload, row.kind), row.seconds.median));
        kernels.chain(steps).chain(processes).collect()
    };
    let rows = bench.devices.iter().flat_map(|found| {
        of_device(found).into_iter().map(|(what, seconds)| Row { device: &found.device, what, seconds })
    });
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::example::example;

    #[test]
    fn what_did_not_change_is_as_fast() {
        let comparison = Comparison::of(&example(), &example());
        assert!(!comparison.changes.is_empty() && comparison.gone.is_empty() && comparison.added.is_empty());
        assert!(
            comparison.changes.iter().all(|change| (change.speedup() - 1.0).abs() < 1e-12 && !change.is_slower(0.0))
        );
    }

    #[test]
    fn what_is_slower_gone_or_new_is_found() {
        let (old, mut new) = (example(), example());
        new.devices[0].steps[0].seconds.median *= 1.2;
        new.devices[0].steps[1].kind = "something else".into();
        let comparison = Comparison::of(&old, &new);
        let slower = |tolerance| comparison.changes.iter().filter(|change| change.is_slower(tolerance)).count();
        assert_eq!((slower(0.1), slower(0.3)), (1, 0));
        assert_eq!((comparison.gone.len(), comparison.added.len()), (1, 1));
        assert!(comparison.added[0].ends_with("something else"), "{:?}", comparison.added);
    }

    #[test]
    fn another_driver_is_another_device() {
        let mut new = example();
        new.devices[0].device.driver = "of tomorrow".into();
        let comparison = Comparison::of(&example(), &new);
        assert!(comparison.changes.iter().all(|change| change.device != new.devices[0].device));
    }
}
