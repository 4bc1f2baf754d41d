//! A GPU as a device: buffers and bind groups made once, many steps recorded into one submission.

use super::adapter::Adapter;
use super::cache::PipelineCache;
use super::kept;
use super::kernels::{self, Class, Profile, Tuning};
use super::pipeline::Pipeline;
use super::recording::{BLOCK, DispatchRecord, Recording};
use super::timing::Clock;
use super::tuning;
use crate::device::{Device, DeviceInfo, Session};
use crate::program::{LOOP_ITERATIONS, List, Program, TensorId};
use crate::{Error, Result};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, mpsc};
use std::time::{Duration, Instant};

/// How long a device may take for what it was given before it counts as hung.
const PATIENCE: Duration = Duration::from_mins(5);
/// Dispatches in one submission; more are split.
const SUBMISSION: usize = 16_384;

/// Features that are used where an adapter has them.
const WANTED: wgpu::Features =
    wgpu::Features::TIMESTAMP_QUERY.union(wgpu::Features::SUBGROUP).union(wgpu::Features::PIPELINE_CACHE);

/// An open adapter. Clones share it.
#[derive(Clone)]
pub struct Gpu {
    profile: Profile,
    /// The class of the adapter itself.
    own_class: Class,
    shared: Arc<Shared>,
}

pub(super) struct Shared {
    info: DeviceInfo,
    /// Whether shaders keep their bounds checks.
    pub(super) checked: bool,
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    /// By their WGSL.
    pub(super) pipelines: Mutex<HashMap<String, Pipeline>>,
    /// Of the user's folder, once that takes part.
    pub(super) cache: OnceLock<Option<PipelineCache>>,
    failure: Failure,
}

/// The first error that the device reported outside a call.
type Failure = Arc<Mutex<Option<String>>>;

impl Gpu {
    /// Opens an adapter. `checked` keeps the bounds checks of shaders, for tests: without them every shader has still been
    /// validated.
    pub fn open(adapter: &Adapter, checked: bool) -> Result<Self> {
        let descriptor = wgpu::DeviceDescriptor {
            required_limits: adapter.handle.limits(),
            required_features: adapter.handle.features() & WANTED,
            ..Default::default()
        };
        let (device, queue) = pollster::block_on(adapter.handle.request_device(&descriptor))
            .map_err(|error| Error::Device(format!("{}: cannot be opened: {error}", adapter.info())))?;
        let failure = Failure::default();
        let uncaptured = Arc::clone(&failure);
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            uncaptured.lock().expect("no panic while held").get_or_insert_with(|| error.to_string());
        }));
        let lost = Arc::clone(&failure);
        device.set_device_lost_callback(move |_, message| {
            let message = if message.is_empty() { String::new() } else { format!(" ({message})") };
            let problem = format!("the device was lost{message}. Try again, or take another one: --device cpu");
            *lost.lock().expect("no panic while held") = Some(problem);
        });
        let shared = Shared {
            info: adapter.info().clone(),
            checked,
            device,
            queue,
            pipelines: Mutex::default(),
            cache: OnceLock::new(),
            failure,
        };
        let profile = adapter.profile();
        Ok(Self { own_class: profile.class, profile, shared: Arc::new(shared) })
    }

    /// Which kernels it runs.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// The classes whose kernels it can run.
    pub fn classes(&self) -> Vec<Class> {
        self.own_class.runnable()
    }

    /// The same open adapter with the kernels that another profile chooses, so that tests reach every variant.
    #[must_use]
    pub fn with_profile(&self, profile: Profile) -> Self {
        Self { profile, ..self.clone() }
    }

    /// The same open adapter with kernels that measurements chose; those that it cannot run are left out.
    #[must_use]
    pub fn with_tuning(&self, tuning: &Tuning) -> Self {
        let classes = self.classes();
        let tuning = tuning.iter().filter(|(_, class)| classes.contains(class));
        let tuning = tuning.map(|(signature, class)| (signature.clone(), *class)).collect();
        self.with_profile(Profile { class: self.profile.class, tuning })
    }

    /// The same open adapter with what is kept of it in the user's folder: the kernels that measurements chose, and the
    /// pipelines that were compiled before.
    #[must_use]
    pub fn with_user_folder(&self) -> Self {
        let Shared { device, info, cache, .. } = &*self.shared;
        cache.get_or_init(|| kept::path(info, "pipelines").and_then(|path| PipelineCache::open(device, path)));
        self.with_tuning(&tuning::load(info))
    }

    /// Gives the device up while it is in use, as a driver does that loses it: for tests.
    #[doc(hidden)]
    pub fn lose(&self) {
        self.shared.device.destroy();
    }

    /// Runs what was recorded of a program, perhaps elsewhere; `text` gives the text of a shader's file.
    pub fn replay<'a>(
        &self,
        program: &Arc<Program>,
        recording: Recording,
        text: &dyn Fn(&str) -> Option<&'a str>,
    ) -> Result<Box<dyn Session>> {
        let wgsl = recording.pipelines.iter().map(|pipeline| pipeline.wgsl(text)).collect::<Result<_>>()?;
        let buffers = self.shared.buffers(&recording)?;
        self.shared.check()?;
        let (program, shared) = (Arc::clone(program), Arc::clone(&self.shared));
        Ok(Box::new(GpuSession { program, shared, buffers, recording, wgsl, ready: [None, None, None] }))
    }
}

impl Device for Gpu {
    fn info(&self) -> &DeviceInfo {
        &self.shared.info
    }

    fn tuning(&self) -> Tuning {
        self.profile.tuning.clone()
    }

    fn load(&self, program: &Arc<Program>) -> Result<Box<dyn Session>> {
        program.validate()?;
        let shared = &self.shared;
        shared.check_loops(program)?;
        self.replay(program, Recording::new(program, &self.profile), &kernels::text)
    }
}

impl Shared {
    /// The pipelines that were compiled before.
    pub(super) fn cache(&self) -> Option<&PipelineCache> {
        self.cache.get()?.as_ref()
    }

    pub(super) fn fail(&self, problem: impl std::fmt::Display) -> Error {
        Error::Device(format!("{}: {problem}", self.info))
    }

    pub(super) fn check(&self) -> Result<()> {
        let failure = || self.failure.lock().expect("no panic while held").clone();
        if failure().is_none() {
            return Ok(());
        }
        // A lost device fails in other ways before it is asked and says so.
        let _ = self.device.poll(wgpu::PollType::Poll);
        failure().map_or(Ok(()), |problem| Err(self.fail(problem)))
    }

    /// Waits for a submission, or for all.
    fn wait(&self, submission_index: Option<wgpu::SubmissionIndex>) -> Result<()> {
        let wait = wgpu::PollType::Wait { submission_index, timeout: Some(PATIENCE) };
        let polled = self.device.poll(wait);
        // What the device reported before says more.
        self.check()?;
        polled.map(drop).map_err(|error| self.fail(format!("gave no answer: {error}")))
    }

    /// The contents of a staging buffer once a submission is done.
    pub(super) fn map(&self, staging: &wgpu::Buffer, submission: wgpu::SubmissionIndex, name: &str) -> Result<Vec<u8>> {
        let (sender, receiver) = mpsc::channel();
        staging.map_async(wgpu::MapMode::Read, .., move |result| {
            // The receiver is gone only if waiting failed, which has been reported then.
            let _ = sender.send(result);
        });
        self.wait(Some(submission))?;
        self.check()?;
        match receiver.try_recv() {
            Ok(Ok(())) => Ok(staging.get_mapped_range(..).map_err(|error| self.fail(error))?.to_vec()),
            _ => Err(self.fail(format!("could not read back {name}"))),
        }
    }

    /// Refuses what llvmpipe would compute wrong without a word.
    fn check_loops(&self, program: &Program) -> Result<()> {
        match program.too_long_loop() {
            Some((op, length)) if self.info.name.contains("llvmpipe") => Err(self.fail(format!(
                "{op} loops {length} times, but this driver ends loops after {LOOP_ITERATIONS}. Other devices take it: \
                 --device cpu"
            ))),
            _ => Ok(()),
        }
    }

    pub(super) fn buffer(&self, name: &str, bytes: usize, usage: wgpu::BufferUsages) -> Result<wgpu::Buffer> {
        let scope = self.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let size = bytes.next_multiple_of(BLOCK) as u64;
        let descriptor = wgpu::BufferDescriptor { label: Some(name), size, usage, mapped_at_creation: false };
        let buffer = self.device.create_buffer(&descriptor);
        match pollster::block_on(scope.pop()) {
            Some(_) => Err(self.fail(format!(
                "out of memory for {name} ({size} bytes). A smaller --batch-size needs less; --device cpu uses main memory"
            ))),
            None => Ok(buffer),
        }
    }

    /// Every buffer of a recording.
    fn buffers(&self, recording: &Recording) -> Result<Vec<wgpu::Buffer>> {
        use wgpu::BufferUsages as Usage;
        let buffers = recording.buffers.iter().map(|record| {
            let uniform = if record.uniform { Usage::UNIFORM } else { Usage::empty() };
            self.buffer(&record.name, record.bytes, Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST | uniform)
        });
        buffers.collect()
    }
}

/// A dispatch, ready to be encoded.
struct Ready {
    pipeline: wgpu::ComputePipeline,
    bind_group: wgpu::BindGroup,
    groups: [u32; 3],
}

struct GpuSession {
    program: Arc<Program>,
    shared: Arc<Shared>,
    buffers: Vec<wgpu::Buffer>,
    recording: Recording,
    /// The shader of each pipeline.
    wgsl: Vec<String>,
    /// Made when a list is first run: an evaluation compiles no backward pass.
    ready: [Option<Vec<Ready>>; 3],
}

impl GpuSession {
    /// Runs a list so many times, and by a clock tells how long that took.
    fn submit(&mut self, list: List, times: u32, clock: Option<&Clock>) -> Result<Duration> {
        let ready = match self.ready[list as usize].take() {
            Some(ready) => ready,
            None => self.prepare(list)?,
        };
        let at_once = (SUBMISSION / ready.len().max(1)).max(1) as u32;
        let mut taken = Duration::ZERO;
        let mut left = times;
        while left > 0 {
            let steps = left.min(at_once);
            let mut encoder = self.shared.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
                timestamp_writes: clock.map(Clock::writes),
                label: None,
            });
            for dispatch in ready.iter().cycle().take(ready.len() * steps as usize) {
                let [x, y, z] = dispatch.groups;
                pass.set_pipeline(&dispatch.pipeline);
                pass.set_bind_group(0, &dispatch.bind_group, &[]);
                pass.dispatch_workgroups(x, y, z);
            }
            drop(pass);
            match clock {
                Some(clock) => taken += clock.submit(&self.shared, encoder)?,
                None => drop(self.shared.queue.submit([encoder.finish()])),
            }
            left -= steps;
        }
        self.ready[list as usize] = Some(ready);
        self.shared.check()?;
        Ok(taken)
    }

    fn place(&self, tensor: TensorId) -> (&wgpu::Buffer, usize, usize) {
        let record = &self.recording.tensors[tensor.index()];
        (&self.buffers[record.buffer.expect("the recording has to do with the tensor")], record.offset, record.bytes)
    }

    fn prepare(&self, list: List) -> Result<Vec<Ready>> {
        let ready = self.recording.lists.get(list).iter().map(|dispatch| {
            let record = &self.recording.pipelines[dispatch.pipeline];
            let Pipeline { layout, pipeline } = self.shared.pipeline(record, &self.wgsl[dispatch.pipeline]);
            let bind_group = self.shared.bind(dispatch, &layout, &self.buffers);
            Ready { pipeline, bind_group, groups: dispatch.groups }
        });
        let ready = ready.collect();
        self.shared.check()?;
        if let Some(cache) = self.shared.cache() {
            cache.keep();
        }
        Ok(ready)
    }
}

impl Session for GpuSession {
    fn program(&self) -> &Arc<Program> {
        &self.program
    }

    fn write(&mut self, tensor: TensorId, offset: usize, bytes: &[u8]) -> Result<()> {
        let (buffer, start, _) = self.place(tensor);
        let whole = bytes.len() / 4 * 4;
        let at = (start + offset) as u64;
        self.shared.queue.write_buffer(buffer, at, &bytes[..whole]);
        if whole < bytes.len() {
            let mut word = [0; 4];
            word[..bytes.len() - whole].copy_from_slice(&bytes[whole..]);
            self.shared.queue.write_buffer(buffer, at + whole as u64, &word);
        }
        self.shared.check()
    }

    fn read(&mut self, tensor: TensorId) -> Result<Vec<u8>> {
        let shared = &self.shared;
        let (buffer, offset, bytes) = self.place(tensor);
        let staging = shared.buffer("staging", bytes, wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST)?;
        let mut encoder = shared.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        encoder.copy_buffer_to_buffer(buffer, offset as u64, &staging, 0, bytes as u64);
        let submission = shared.queue.submit([encoder.finish()]);
        let mut contents = shared.map(&staging, submission, &self.program.tensor(tensor).name)?;
        contents.truncate(bytes);
        Ok(contents)
    }

    fn run(&mut self, list: List, times: u32) -> Result<()> {
        self.submit(list, times, None).map(drop)
    }

    fn wait(&mut self) -> Result<()> {
        self.shared.wait(None)?;
        self.shared.check()
    }

    fn time(&mut self, list: List, times: u32) -> Result<Duration> {
        self.wait()?;
        let began = Instant::now();
        let clock = Clock::new(&self.shared)?;
        let taken = self.submit(list, times, clock.as_ref())?;
        self.wait()?;
        Ok(if clock.is_some() { taken } else { began.elapsed() })
    }

    fn kernels(&self) -> Vec<(String, String)> {
        let Recording { pipelines, lists, .. } = &self.recording;
        let op = |dispatch: &DispatchRecord| self.program.train_step[dispatch.op].name().to_owned();
        let kernel = |dispatch: &DispatchRecord| pipelines[dispatch.pipeline].name.clone().into_owned();
        lists.train_step.iter().map(|dispatch| (op(dispatch), kernel(dispatch))).collect()
    }
}
