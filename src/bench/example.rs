//! A benchmark that was made up, for tests.

use super::{Bench, DeviceBench, FORMAT, Figure, KernelRow, Peaks, ProcessRow, StepRow};
use crate::device::DeviceInfo;
use crate::program::Work;

fn figure(median: f64) -> Figure {
    Figure { median, low: 0.95 * median, high: 1.1 * median, samples: 9 }
}

/// Two devices with two kernels, two steps and two processes each.
pub fn example() -> Bench {
    let device = |name: &str, backend: &str, slowness: f64| DeviceBench {
        device: DeviceInfo {
            name: name.into(),
            backend: backend.into(),
            kind: if backend == "cpu" { "cpu" } else { "software" }.into(),
            driver: "1.0".into(),
        },
        peaks: Peaks {
            flops: figure(2e11 / slowness),
            bytes: figure(3e10 / slowness),
            dispatch: (backend != "cpu").then(|| figure(3e-5)),
        },
        kernels: [("matmul nt 64×128×784", 8e-5, 1.28e7, 6.4e5), ("sgd 101824", 5e-6, 0.0, 1.2e6)]
            .map(|(op, seconds, flops, bytes)| KernelRow {
                models: vec!["mlp".into()],
                op: op.into(),
                kernel: "matmul.register".into(),
                chosen: true,
                class: None,
                seconds: figure(seconds * slowness),
                work: Work { flops, bytes },
            })
            .into(),
        steps: [("training", 2.4e-4, 64), ("inference", 3.5e-4, 250)]
            .map(|(kind, seconds, batch)| StepRow {
                workload: "mlp 64 SGD".into(),
                kind: kind.into(),
                seconds: figure(seconds * slowness),
                batch,
                images_per_second: figure(seconds * slowness).rate(f64::from(batch)),
                dispatches: 9,
                idle: (kind == "training").then_some(0.2),
            })
            .into(),
        processes: [("first step", 0.2, None), ("one epoch", 3.0, Some(0.9912))]
            .map(|(kind, seconds, test_accuracy)| ProcessRow {
                workload: "cnn 256 AdamW".into(),
                kind: kind.into(),
                seconds: figure(seconds * slowness),
                test_accuracy,
            })
            .into(),
    };
    Bench {
        format: FORMAT,
        version: "0.1.0".into(),
        quick: false,
        devices: vec![device("CPU", "cpu", 1.0), device("llvmpipe (LLVM 15.0.6, 256 bits)", "vulkan", 20.0)],
    }
}
