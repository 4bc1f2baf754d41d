//! What a device can do at best: a small probe of arithmetic and of copying.

use super::figures::Peaks;
use super::measure::{Effort, Figure};
use super::target::Target;
use crate::Result;
use crate::gpu::{Gpu, Probe};
use crate::program::List;
use pulp::{Arch, Simd, WithSimd};
use std::time::Instant;

/// Bytes that each thread of the CPU copies: more than its share of the caches.
const COPY_BYTES: usize = 64 << 20;
/// Rounds of the CPU's arithmetic: some milliseconds.
const ROUNDS: u32 = 1_000_000;

/// Measures them.
pub fn peaks(target: &Target, effort: Effort) -> Result<Peaks> {
    match target {
        Target::Gpu(gpu) => gpu_peaks(gpu, effort),
        Target::Cpu { threads, .. } => cpu_peaks(*threads, effort),
    }
}

fn gpu_peaks(gpu: &Gpu, effort: Effort) -> Result<Peaks> {
    let time = |probe: Probe| {
        let Probe { mut session, amount } = probe;
        Ok((effort.seconds(|times| session.time(List::TrainStep, times))?, amount))
    };
    let rate = |probe| time(probe).map(|(seconds, amount)| seconds.rate(amount));
    let info = crate::device::Device::info(gpu);
    let fma: Vec<Figure> = gpu.fma_probes(info)?.into_iter().map(rate).collect::<Result<_>>()?;
    let fma = fma.into_iter().max_by(|a, b| a.median.total_cmp(&b.median)).expect("there are several");
    Ok(Peaks { flops: fma, bytes: rate(gpu.copy_probe()?)?, dispatch: Some(time(gpu.empty_probe()?)?.0) })
}

/// Chains of multiply-adds, enough to hide their latency.
struct Chains {
    rounds: u32,
}

const CHAINS: usize = 12;

impl WithSimd for Chains {
    /// A number that depends on all, and the floating-point operations that made it.
    type Output = (f32, f64);

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let factor = simd.splat_f32s(std::hint::black_box(0.999));
        let half = simd.splat_f32s(0.5);
        let mut chains = [half; CHAINS];
        for _ in 0..self.rounds {
            for chain in &mut chains {
                *chain = simd.mul_add_e_f32s(*chain, factor, half);
            }
        }
        let sum = chains.into_iter().reduce(|a, b| simd.add_f32s(a, b)).expect("there are several");
        let flops = 2.0 * f64::from(self.rounds) * (CHAINS * S::F32_LANES) as f64;
        (simd.reduce_sum_f32s(sum), flops)
    }
}

fn cpu_peaks(threads: usize, effort: Effort) -> Result<Peaks> {
    let mut amount = 0.0;
    let fma = effort.seconds(|times| {
        let clock = Instant::now();
        amount = std::thread::scope(|scope| {
            let chains = || Arch::new().dispatch(Chains { rounds: times * ROUNDS });
            let threads: Vec<_> = (0..threads).map(|_| scope.spawn(chains)).collect();
            let results = threads.into_iter().map(|thread| thread.join().expect("arithmetic does not panic"));
            let flops = results.map(|(number, flops)| {
                std::hint::black_box(number);
                flops
            });
            flops.sum::<f64>() / f64::from(times)
        });
        Ok(clock.elapsed())
    })?;
    let mut buffers = vec![(vec![1_u8; COPY_BYTES], vec![0_u8; COPY_BYTES]); threads];
    let copy = effort.seconds(|times| {
        let clock = Instant::now();
        std::thread::scope(|scope| {
            for (from, to) in &mut buffers {
                scope.spawn(move || {
                    for _ in 0..times {
                        to.copy_from_slice(std::hint::black_box(from));
                    }
                });
            }
        });
        Ok(clock.elapsed())
    })?;
    let bytes = copy.rate((2 * COPY_BYTES * threads) as f64);
    Ok(Peaks { flops: fma.rate(amount), bytes, dispatch: None })
}
