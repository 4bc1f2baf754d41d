//! The probes that `bench` takes a device's peaks from do the work that they say.

use libtest_mimic::Failed;
use mnist_gpu::gpu::{Adapter, Gpu, Probe};
use mnist_gpu::program::{List, TensorId};

const INPUT: TensorId = TensorId(0);
const OUTPUT: TensorId = TensorId(1);

/// Every word is copied; every chain of multiply-adds goes through all the rounds that are counted.
pub(crate) fn on_adapter(adapter: &Adapter) -> Result<(), Failed> {
    let device = Gpu::open(adapter, false)?;
    copies(device.copy_probe()?)?;
    let chains = [2, 4, 8];
    let probes = device.fma_probes(adapter.info())?;
    if probes.len() != chains.len() {
        return Err(format!("{} probes of arithmetic", probes.len()).into());
    }
    probes.into_iter().zip(chains).try_for_each(|(probe, chains)| multiplies(probe, chains))
}

fn copies(Probe { mut session, amount }: Probe) -> Result<(), Failed> {
    let words: Vec<u32> = (0..session.program().tensor(INPUT).shape[0]).collect();
    session.put(INPUT, &words)?;
    session.run(List::TrainStep, 1)?;
    if session.get::<u32>(OUTPUT)? != words {
        return Err("the copy differs".into());
    }
    // Each word is read and written.
    if amount as usize == 8 * words.len() { Ok(()) } else { Err(format!("{amount} bytes are counted").into()) }
}

fn multiplies(Probe { mut session, amount }: Probe, chains: u32) -> Result<(), Failed> {
    session.run(List::TrainStep, 1)?;
    let sums = session.get::<f32>(OUTPUT)?;
    // Vectors of four, a product and a sum.
    let rounds = amount / (8.0 * f64::from(chains) * sums.len() as f64);
    // x ← a·x + ½ nears ½ / (1 − a), its distance shrinking by a in each round.
    let a = f64::from(0.999_f32);
    let limit = 0.5 / (1.0 - a);
    for (id, &sum) in sums.iter().enumerate() {
        let chain = |i| limit + (f64::from(i + id as u32) - limit) * a.powf(rounds);
        let expected = 4.0 * (0..chains).map(chain).sum::<f64>();
        // An error of half an ulp in each round, of which the limit keeps 1 / (1 − a).
        if (f64::from(sum) / expected - 1.0).abs() > 1000.0 * f64::from(f32::EPSILON) {
            return Err(format!("{chains} chains, invocation {id}: {sum} instead of {expected}").into());
        }
    }
    Ok(())
}
