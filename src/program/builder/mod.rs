//! From a model and a training configuration to ops. A step can be read from top to bottom: forwards, loss, backwards, update.

mod layout;
mod ops;

use super::{
    BeginStep, Element, LoadBatch, Op, Order, Phase, Ports, Program, Role, Rows, SoftmaxNll, Tensor, TensorId,
};
use crate::Result;
use crate::model::{ModelSpec, Shape, Stage};
use crate::optimizer::Optimizer;

/// Everything that decides what a program computes.
#[derive(Clone, Debug)]
pub struct Build<'a> {
    /// The network.
    pub model: &'a ModelSpec,
    /// The shape of one image.
    pub image: Shape,
    /// Number of classes.
    pub classes: u32,
    /// Images in memory, of all sets together.
    pub images: u32,
    /// Images of a training step.
    pub batch: u32,
    /// Images of the training set.
    pub train_images: u32,
    /// Images of an evaluation step.
    pub eval_batch: u32,
    /// How parameters are updated.
    pub optimizer: Optimizer,
    /// Mean of the pixels, as a share of the full scale.
    pub mean: f64,
    /// Standard deviation of the pixels, as a share of the full scale.
    pub std: f64,
}

/// Training steps whose metrics a device keeps until the host reads them: the longest chunk that a host may run.
pub const METRICS_SLOTS: u32 = 1024;

/// Lays out the program for a model, its data and its optimizer.
///
/// # Errors
/// When a layer does not fit the images, or something is larger than a GPU can bind.
pub fn build(build: &Build) -> Result<Program> {
    let stages = build.model.stages(build.image, build.classes)?;
    let mut builder = Builder { tensors: Vec::new(), build, stages: &stages };
    let program = builder.program()?;
    program.validate()?;
    Ok(program)
}

struct Builder<'a> {
    tensors: Vec<Tensor>,
    build: &'a Build<'a>,
    stages: &'a [Stage],
}

/// The tensors of one kind of step.
struct Flow {
    state: TensorId,
    metrics: TensorId,
    samples: TensorId,
    /// The input of each stage, and last the logits.
    activations: Vec<TensorId>,
    /// The choice of each convolution, in training.
    choices: Vec<Option<TensorId>>,
    rows: u32,
}

/// The flat tensor of a kind and its views: weight and bias of each stage that has them.
struct Flat {
    all: TensorId,
    views: Vec<Option<(TensorId, TensorId)>>,
}

impl Builder<'_> {
    fn program(&mut self) -> Result<Program> {
        let build = self.build;
        let images = self.add("images", &[build.images, build.image.len()], Element::U8, Role::Data);
        let labels = self.add("labels", &[build.images], Element::U8, Role::Data);
        let batch = build.batch.min(build.train_images);
        let steps = build.train_images.div_ceil(batch);
        let schedule = self.add("schedule", &[steps, 4], Element::F32, Role::Data);
        let parameters = self.flat("parameters", "", Role::Parameter);
        let gradients = self.flat("gradients", ".gradient", Role::Gradient);
        let moments: Vec<TensorId> = build
            .optimizer
            .moments()
            .iter()
            .map(|name| self.add_like(name, parameters.all, Role::OptimizerState))
            .collect();

        let train = self.flow("train", self.micro_rows(batch)?, METRICS_SLOTS, true);
        let eval_rows = self.micro_rows(build.eval_batch.min(build.images))?;
        let eval = self.flow("eval", eval_rows, build.images.div_ceil(eval_rows), false);
        let log_probabilities = self.add("log_probabilities", &[eval.rows, build.classes], Element::F32, Role::Metrics);
        let backward = self.backward_tensors(&train);
        let partials = self.partial_tensors(&train);

        let load = |flow: &Flow| {
            Op::LoadBatch(LoadBatch {
                state: flow.state,
                images,
                samples: flow.samples,
                output: flow.activations[0],
                scale: (1.0 / (255.0 * build.std)) as f32,
                shift: (-build.mean / build.std) as f32,
            })
        };
        let mut train_step = Vec::new();
        for micro_batch in 0..batch.div_ceil(train.rows) {
            let accumulate = micro_batch > 0;
            train_step.push(Op::BeginStep(BeginStep {
                state: train.state,
                schedule: Some(schedule),
                labels,
                samples: train.samples,
                order: Order::Shuffled,
                batch,
                micro_batch,
                slots: METRICS_SLOTS,
            }));
            train_step.push(load(&train));
            train_step.extend(self.forward(&train, &parameters, batch));
            train_step.push(Op::SoftmaxNll(SoftmaxNll {
                state: train.state,
                logits: *train.activations.last().expect("a model has a layer"),
                samples: train.samples,
                metrics: train.metrics,
                output: *backward.last().expect("a model has a layer"),
                result: Rows::Gradient,
                accumulate,
            }));
            train_step.extend(self.backward(&train, &parameters, &gradients, &backward, &partials, batch, accumulate));
        }
        train_step.push(self.update(train.state, parameters.all, gradients.all, &moments));

        let mut eval_step = vec![
            Op::BeginStep(BeginStep {
                state: eval.state,
                schedule: None,
                labels,
                samples: eval.samples,
                order: Order::Sequential,
                batch: eval.rows,
                micro_batch: 0,
                slots: self.tensors[eval.metrics.index()].shape[0],
            }),
            load(&eval),
        ];
        eval_step.extend(self.forward(&eval, &parameters, eval.rows));
        eval_step.push(Op::SoftmaxNll(SoftmaxNll {
            state: eval.state,
            logits: *eval.activations.last().expect("a model has a layer"),
            samples: eval.samples,
            metrics: eval.metrics,
            output: log_probabilities,
            result: Rows::LogProbabilities,
            accumulate: false,
        }));

        let init = self.init(train.state, &parameters);
        let phase = |flow: &Flow, batch| Phase { state: flow.state, metrics: flow.metrics, batch };
        Ok(Program {
            init,
            train_step,
            eval_step,
            ports: Ports {
                images,
                labels,
                schedule,
                parameters: parameters.all,
                gradients: gradients.all,
                moments,
                train: phase(&train, batch),
                eval: phase(&eval, eval.rows),
                log_probabilities,
            },
            tensors: std::mem::take(&mut self.tensors),
        })
    }
}
