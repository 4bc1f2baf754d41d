//! The model on its device: one thread owns it, and what waits is answered together.

use super::metrics::Metrics;
use crate::device::DeviceInfo;
use crate::inference::Classifier;
use crate::trainer::EVAL_BATCH;
use crate::{Error, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// A model on a device.
pub struct Opened {
    /// The model.
    pub classifier: Classifier,
    /// What it runs on.
    pub device: DeviceInfo,
    /// Why on that.
    pub why: String,
}

/// How many images a model is asked about at once, where a request may have so many.
pub fn room(images: usize) -> usize {
    images.max(EVAL_BATCH as usize)
}

/// The probabilities of each class, image after image; what fails, fails for all of a batch.
type Outcome = Result<Vec<Vec<f32>>, Arc<Error>>;

/// Images that wait for their answer.
struct Job {
    /// How many they are.
    count: usize,
    /// A byte a pixel.
    images: Vec<u8>,
    answer: oneshot::Sender<Outcome>,
}

/// The thread that asks the model, and the queue before it.
pub struct Engine {
    queue: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<Result<()>>>,
    /// Whether the device did what it was last asked for.
    well: Arc<AtomicBool>,
    /// What the model runs on.
    pub device: DeviceInfo,
    /// Why on that.
    pub why: String,
}

impl Engine {
    /// Opens a model on a thread of its own, for a session stays where it was made. The queue takes as many requests as are
    /// let in; a batch takes what waits, up to so many images as there is `room` for.
    pub fn start(
        requests: usize,
        room: usize,
        metrics: Arc<Metrics>,
        open: impl FnOnce() -> Result<Opened> + Send + 'static,
    ) -> Result<Self> {
        let (queue, jobs) = sync_channel(requests);
        let (opened, ready) = channel();
        let well = Arc::new(AtomicBool::new(true));
        let still_well = Arc::clone(&well);
        let thread = std::thread::Builder::new().name("inference".into()).spawn(move || {
            let Opened { mut classifier, device, why } = open()?;
            if opened.send((device, why)).is_ok() {
                work(&mut classifier, &jobs, room, &metrics, &still_well);
            }
            Ok(())
        });
        let thread = thread.map_err(Error::io("start", "the thread of inference"))?;
        match ready.recv() {
            Ok((device, why)) => Ok(Self { queue: Some(queue), thread: Some(thread), well, device, why }),
            // Waited for, as drivers may crash if the process exits while a thread that used them is still ending.
            Err(_) => match thread.join() {
                Ok(Err(error)) => Err(error),
                _ => Err(Error::Device("opening the device ended in a panic".into())),
            },
        }
    }

    /// Whether the device is there and did what it was last asked for.
    pub fn is_well(&self) -> bool {
        self.well.load(Ordering::Relaxed) && self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    /// The probabilities of each class, image after image, for `count` images.
    pub async fn probabilities(&self, images: Vec<u8>, count: usize) -> Outcome {
        let gone = || Arc::new(Error::Device("the thread of inference has ended".into()));
        let (answer, outcome) = oneshot::channel();
        let job = Job { count, images, answer };
        // Those let in are no more than the queue takes, and each waits for one answer.
        self.queue.as_ref().and_then(|queue| queue.try_send(job).ok()).ok_or_else(gone)?;
        outcome.await.map_err(|_| gone())?
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // Without a sender the thread comes to its end.
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            // What a panic had to say stands on stderr.
            let _ = thread.join();
        }
    }
}

/// Answers batch after batch until nobody can ask any more.
fn work(classifier: &mut Classifier, jobs: &Receiver<Job>, room: usize, metrics: &Metrics, well: &AtomicBool) {
    let mut next = None;
    while let Some(first) = next.take().or_else(|| jobs.recv().ok()) {
        let mut batch = vec![first];
        let mut count = batch[0].count;
        while let Ok(job) = jobs.try_recv() {
            if count + job.count > room {
                next = Some(job);
                break;
            }
            count += job.count;
            batch.push(job);
        }
        // Clients that have gone away need no answer.
        batch.retain(|job| !job.answer.is_closed());
        let images = batch.iter().flat_map(|job| &job.images).copied().collect::<Vec<u8>>();
        if images.is_empty() {
            continue;
        }
        metrics.batch_images.observe(batch.iter().map(|job| job.count).sum::<usize>() as f64);
        let outcome = classifier.probabilities(&images).map_err(Arc::new);
        well.store(outcome.is_ok(), Ordering::Relaxed);
        let mut rows = outcome.map(Vec::into_iter);
        for Job { count, answer, .. } in batch {
            let part = rows.as_mut().map(|rows| rows.by_ref().take(count).collect()).map_err(|error| Arc::clone(error));
            // The client may have gone away meanwhile.
            let _ = answer.send(part);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::Cpu;
    use crate::data::{Dataset, Split};
    use crate::device::{Device, Session};
    use crate::model::{defaults, preset};
    use crate::program::{List, Program, TensorId};
    use crate::trainer::Trainer;

    /// The CPU, which fails while it is told to.
    struct Faulty {
        cpu: Cpu,
        broken: Arc<AtomicBool>,
    }

    impl Device for Faulty {
        fn info(&self) -> &DeviceInfo {
            self.cpu.info()
        }

        fn load(&self, program: &Arc<Program>) -> Result<Box<dyn Session>> {
            Ok(Box::new(FaultySession { session: self.cpu.load(program)?, broken: Arc::clone(&self.broken) }))
        }
    }

    struct FaultySession {
        session: Box<dyn Session>,
        broken: Arc<AtomicBool>,
    }

    impl Session for FaultySession {
        fn program(&self) -> &Arc<Program> {
            self.session.program()
        }

        fn write(&mut self, tensor: TensorId, offset: usize, bytes: &[u8]) -> Result<()> {
            self.session.write(tensor, offset, bytes)
        }

        fn read(&mut self, tensor: TensorId) -> Result<Vec<u8>> {
            self.session.read(tensor)
        }

        fn run(&mut self, list: List, times: u32) -> Result<()> {
            if self.broken.load(Ordering::Relaxed) {
                return Err(Error::Device("unplugged".into()));
            }
            self.session.run(list, times)
        }

        fn kernels(&self) -> Vec<(String, String)> {
            self.session.kernels()
        }
    }

    /// Clients are told of a device that fails, and so is whoever asks how it is; once it works again, it answers.
    #[test]
    fn a_device_that_fails_is_not_well_until_it_answers_again() {
        let split = || Split { images: (0..784).map(|pixel| pixel as u8).collect(), labels: vec![1] };
        let classes = (0..10).map(|class| class.to_string()).collect();
        let data = Dataset::from_splits("one", [28, 28], classes, split(), split()).expect("a set");
        let config = defaults(preset("linear", 10).expect("a preset"));
        let checkpoint = Trainer::new(&Cpu::new(None).expect("threads"), &data, &config)
            .and_then(|mut trainer| trainer.checkpoint())
            .expect("weights");
        let broken = Arc::new(AtomicBool::new(false));
        let switch = Arc::clone(&broken);
        let engine = Engine::start(4, room(1), Arc::default(), move || {
            let device = Faulty { cpu: Cpu::new(None)?, broken: switch };
            let classifier = Classifier::new(&device, &checkpoint)?;
            Ok(Opened { classifier, device: device.info().clone(), why: "it is there".into() })
        })
        .expect("it starts");
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let ask = || runtime.block_on(engine.probabilities(vec![128; 784], 1));
        assert!(ask().is_ok() && engine.is_well());
        broken.store(true, Ordering::Relaxed);
        assert!(ask().expect_err("the device fails").to_string().contains("unplugged") && !engine.is_well());
        broken.store(false, Ordering::Relaxed);
        assert!(ask().is_ok() && engine.is_well());
    }
}
