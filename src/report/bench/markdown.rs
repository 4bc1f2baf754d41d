//! bench.md: the tables to read.

use super::{JSON_FILE, PLOT, short};
use crate::bench::{Bench, DeviceBench, Figure, KernelRow, Peaks, ProcessRow, StepRow};
use crate::report::numbers::{percent, significant, thousands};

/// The report.
pub fn markdown(bench: &Bench, command: &str) -> String {
    let mut sections = vec![
        "# How fast the devices of a machine are".into(),
        format!("![Images per second by model and device; kernels under the roofs of their devices]({PLOT}.png)"),
        format!(
            "mnist-gpu {}, `{command}`{}. Medians, and in brackets from the first to the third quartile; all figures are in \
             [{JSON_FILE}]({JSON_FILE}).",
            bench.version,
            if bench.quick { ", in a hurry: few and short samples" } else { "" }
        ),
    ];
    sections.extend(bench.devices.iter().map(device));
    sections.join("\n\n") + "\n"
}

fn device(found: &DeviceBench) -> String {
    let mut parts = vec![format!("## {}\n\n{}. {}", short(&found.device), found.device, peaks(&found.peaks))];
    if !found.steps.is_empty() {
        parts.push(steps(&found.steps));
    }
    if !found.processes.is_empty() {
        parts.push(processes(&found.processes));
    }
    if !found.kernels.is_empty() {
        parts.push(kernels(found));
    }
    parts.join("\n\n")
}

fn peaks(peaks: &Peaks) -> String {
    let dispatch = peaks
        .dispatch
        .as_ref()
        .map_or(String::new(), |figure| format!(", and {} for a dispatch that does nothing", time(figure.median)));
    format!(
        "At best {} GFLOP/s, {} GB/s{dispatch}.",
        significant(peaks.flops.median / 1e9, 3),
        significant(peaks.bytes.median / 1e9, 3)
    )
}

fn steps(rows: &[StepRow]) -> String {
    let mut text = String::from(
        "| model, batch, optimizer | step | time | images/s | dispatches | idle |\n|---|---|---:|---:|---:|---:|\n",
    );
    for StepRow { workload, kind, seconds, images_per_second, dispatches, idle, .. } in rows {
        let idle = idle.map_or("–".into(), |share| percent(share, 0));
        text.push_str(&format!(
            "| {workload} | {kind} | {} | {} | {dispatches} | {idle} |\n",
            spread(seconds),
            thousands(images_per_second.median.round() as u64)
        ));
    }
    text + "\nA prediction takes one image to the device and its answer back. Idle is the share of a training step that its \
            kernels, each timed alone and in turn with the step, do not account for."
}

fn processes(rows: &[ProcessRow]) -> String {
    let mut text = String::from(
        "| model, batch, optimizer | from the start of a process to | time | test accuracy |\n|---|---|---:|---:|\n",
    );
    for ProcessRow { workload, kind, seconds, test_accuracy } in rows {
        let accuracy = test_accuracy.map_or("–".into(), |accuracy| percent(accuracy, 2));
        text.push_str(&format!("| {workload} | {kind} | {} | {accuracy} |\n", spread(seconds)));
    }
    text + "\nReady is a process with its data and pipelines on the device; an epoch is over with its evaluated weights on disk. \
            Drivers keep no compiled shaders from one process to the next; accuracies are means over seeds."
}

fn kernels(found: &DeviceBench) -> String {
    let mut text = String::from(
        "| op and shape | kernel | time | GFLOP/s | GB/s | of the peak |\n|---|---|---:|---:|---:|---:|\n",
    );
    for row in &found.kernels {
        let rate = |amount: f64| match amount / row.seconds.median / 1e9 {
            0.0 => "–".into(),
            rate => significant(rate, 3),
        };
        let kernel = if row.chosen { format!("**{}**", row.kernel) } else { row.kernel.clone() };
        text.push_str(&format!(
            "| {} | {kernel} | {} | {} | {} | {} |\n",
            row.op,
            spread(&row.seconds),
            rate(row.work.flops),
            rate(row.work.bytes),
            percent(of_peak(row, &found.peaks), 0)
        ));
    }
    text + "\nBold is what the device chooses. The peak is that of arithmetic or of memory, whichever the kernel is nearer to; \
            beyond 100 % its data stay in the cache."
}

/// The share of the device's peak that a kernel reaches.
fn of_peak(row: &KernelRow, peaks: &Peaks) -> f64 {
    let least = (row.work.flops / peaks.flops.median).max(row.work.bytes / peaks.bytes.median);
    least / row.seconds.median
}

fn spread(seconds: &Figure) -> String {
    format!("{} ({} to {})", time(seconds.median), time(seconds.low), time(seconds.high))
}

/// Seconds in the unit that suits them.
fn time(seconds: f64) -> String {
    match seconds {
        _ if seconds < 1e-3 => format!("{} µs", significant(1e6 * seconds, 3)),
        _ if seconds < 1.0 => format!("{} ms", significant(1e3 * seconds, 3)),
        _ => format!("{} s", significant(seconds, 3)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::example::example;

    #[test]
    fn rows_have_their_figures() {
        let text = markdown(&example(), "mnist-gpu bench");
        let step = "| mlp 64 SGD | training | 240 µs (228 µs to 264 µs) | 266,667 | 9 | 20 % |";
        let kernel =
            "| matmul nt 64×128×784 | **matmul.register** | 80.0 µs (76.0 µs to 88.0 µs) | 160 | 8.00 | 80 % |";
        let process = "| cnn 256 AdamW | one epoch | 3.00 s (2.85 s to 3.30 s) | 99.12 % |";
        for part in
            [step, kernel, process, "## llvmpipe, vulkan", "4.80 ms", "30.0 µs for a dispatch that does nothing"]
        {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
    }
}
