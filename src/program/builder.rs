//! From a model and a training configuration to ops. A step can be read from top to bottom: forwards, loss, backwards, update.

use super::{
    Adam, BLOCK, BeginStep, Conv2dBackwardInput, Conv2dBackwardWeights, Conv2dForward, Convolution, Dropout, Element,
    Form, InitUniform, LOOP_ITERATIONS, LoadBatch, Matmul, Op, Order, Phase, Ports, Program, Reduce, Role, Rows, Sgd,
    SoftmaxNll, State, Tensor, TensorId, View, validate::BINDING_BYTES,
};
use crate::model::{Conv, Dense, ModelSpec, Shape, Stage};
use crate::optimizer::Optimizer;
use crate::{Error, Result};

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

/// The most rows of a micro-batch: a product over the batch loops over it twice, for weights and bias. (Nor may the batch
/// exceed 65,535 where it is a dimension of a grid of workgroups.)
const MICRO_ROWS: u32 = 16_384;

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

    fn add(&mut self, name: &str, shape: &[u32], element: Element, role: Role) -> TensorId {
        self.tensors.push(Tensor { name: name.into(), shape: shape.to_vec(), element, role, view: None });
        TensorId(self.tensors.len() as u32 - 1)
    }

    fn add_like(&mut self, name: &str, like: TensorId, role: Role) -> TensorId {
        let Tensor { shape, element, .. } = self.tensors[like.index()].clone();
        self.add(name, &shape, element, role)
    }

    /// One flat tensor with a view for every parameter, each at a multiple of the alignment, zeros between.
    fn flat(&mut self, name: &str, suffix: &str, role: Role) -> Flat {
        let stages = self.stages;
        let all = self.add(name, &[0], Element::F32, role);
        let mut offset = 0;
        let mut views = Vec::new();
        for stage in stages {
            let ids: Vec<TensorId> = stage
                .parameters()
                .iter()
                .map(|(name, shape, _)| {
                    let id = self.add(&format!("{name}{suffix}"), shape, Element::F32, role);
                    let tensor = &mut self.tensors[id.index()];
                    tensor.view = Some(View { of: all, offset });
                    offset += tensor.bytes().next_multiple_of(Tensor::ALIGNMENT);
                    id
                })
                .collect();
            views.push(if let [weight, bias] = ids[..] { Some((weight, bias)) } else { None });
        }
        self.tensors[all.index()].shape = vec![(offset / 4) as u32];
        Flat { all, views }
    }

    /// Rows of a micro-batch: as many as keep every activation and every partial sum within one binding, the whole batch
    /// where that fits.
    fn micro_rows(&self, batch: u32) -> Result<u32> {
        let widest = self.stages.iter().map(|stage| stage.output().len());
        let bytes = widest.chain([self.build.image.len()]).max().expect("the image itself is there") as usize * 4;
        // Weights that exceed a binding by themselves are for validation to name.
        let blocks = |(sums, block): (u64, u32)| (BINDING_BYTES as u64 / 4 / sums).max(1) * u64::from(block);
        let summed = self.stages.iter().filter_map(partial_sums).map(blocks).min().unwrap_or(u64::MAX);
        match (BINDING_BYTES / bytes).min(summed.try_into().unwrap_or(usize::MAX)) {
            0 => Err(Error::Program(format!(
                "model {}: one image alone needs {bytes} bytes in one tensor, more than a GPU binds",
                self.build.model.name
            ))),
            // Whole blocks, so that a micro-batch ends where a partial sum does.
            rows => {
                // The softmax has 64 invocations, which loop over rows and, three times, over classes; leaving a loop
                // counts as well, and in the end the sums of the 64 are added in a loop.
                let softmax = LOOP_ITERATIONS / (3 * self.build.classes + 8) * 64;
                let rows = (rows.min(MICRO_ROWS as usize) as u32).min(softmax);
                Ok(if rows < batch { (rows / BLOCK * BLOCK).max(1) } else { batch })
            }
        }
    }

    fn flow(&mut self, phase: &str, rows: u32, slots: u32, train: bool) -> Flow {
        let image = self.build.image;
        let stages = self.stages;
        let state = self.add(&format!("{phase}.state"), &[size_of::<State>() as u32 / 4], Element::U32, Role::State);
        let metrics = self.add(&format!("{phase}.metrics"), &[slots, 2], Element::F32, Role::Metrics);
        let samples = self.add(&format!("{phase}.samples"), &[rows, 2], Element::U32, Role::Activation);
        let input = [rows, image.channels, image.height, image.width];
        let mut activations = vec![self.add(&format!("{phase}.images"), &input, Element::F32, Role::Activation)];
        let mut choices = Vec::new();
        for (index, stage) in stages.iter().enumerate() {
            let Shape { channels, height, width } = stage.output();
            let shape = [rows, channels, height, width];
            let shape = if matches!(stage, Stage::Dense(_)) { &shape[..2] } else { &shape[..] };
            let name = format!("{phase}.{}", stage.name());
            // Evaluation drops nothing out: the input passes through.
            activations.push(match stage {
                Stage::Dropout(_) if !train => activations[index],
                _ => self.add(&name, shape, Element::F32, Role::Activation),
            });
            choices.push(match stage {
                Stage::Conv(_) if train => {
                    Some(self.add(&format!("{name}.choice"), shape, Element::U32, Role::Activation))
                }
                _ => None,
            });
        }
        Flow { state, metrics, samples, activations, choices, rows }
    }

    /// A tensor for the gradient of each stage's output.
    fn backward_tensors(&mut self, train: &Flow) -> Vec<TensorId> {
        let outputs = train.activations[1..].iter();
        outputs
            .map(|&id| {
                let name = format!("{}.gradient", self.tensors[id.index()].name);
                self.add_like(&name, id, Role::Activation)
            })
            .collect()
    }

    /// A tensor for the partial sums of each convolution.
    fn partial_tensors(&mut self, train: &Flow) -> Vec<Option<TensorId>> {
        let stages = self.stages.iter();
        stages
            .map(|stage| {
                let (sums, block) = partial_sums(stage)?;
                let shape = [train.rows.div_ceil(block), sums.try_into().unwrap_or(u32::MAX)];
                let name = format!("train.{}.partial_sums", stage.name());
                Some(self.add(&name, &shape, Element::F32, Role::Activation))
            })
            .collect()
    }

    fn init(&self, state: TensorId, parameters: &Flat) -> Vec<Op> {
        let bounds = self.stages.iter().flat_map(|stage| stage.parameters().into_iter().map(|(_, _, bound)| bound));
        let views = parameters.views.iter().flatten().flat_map(|&(weight, bias)| [weight, bias]);
        views
            .zip(bounds)
            .zip(0..)
            .map(|((output, bound), stream)| Op::InitUniform(InitUniform { state, output, bound, stream }))
            .collect()
    }

    fn forward(&self, flow: &Flow, parameters: &Flat, batch: u32) -> Vec<Op> {
        let state = flow.state;
        let mut ops = Vec::new();
        for (index, stage) in self.stages.iter().enumerate() {
            let (input, output) = (flow.activations[index], flow.activations[index + 1]);
            match (stage, parameters.views[index]) {
                (Stage::Conv(Conv { geometry, relu, .. }), Some((weights, bias))) => {
                    let (choice, geometry, relu) = (flow.choices[index], *geometry, *relu);
                    let op = Conv2dForward { state, input, weights, bias, output, choice, geometry, relu };
                    ops.push(Op::Conv2dForward(op));
                }
                (Stage::Dense(Dense { relu, .. }), Some((weight, bias))) => ops.push(Op::Matmul(Matmul {
                    state,
                    form: Form::Nt,
                    a: input,
                    b: weight,
                    output,
                    bias: Some(bias),
                    relu: *relu,
                    mask: None,
                    bias_gradient: None,
                    accumulate: false,
                })),
                (Stage::Dropout(drop), _) if input != output => {
                    ops.push(Op::Dropout(Dropout { state, input, output, rate: drop.rate, layer: drop.layer, batch }));
                }
                _ => {}
            }
        }
        ops
    }

    /// `backward[i]` is the gradient of what stage i puts out. Of a linear layer with a ReLU it is taken before the ReLU:
    /// the op that makes it applies the mask. A convolution's own choice says where its ReLU was zero.
    #[allow(clippy::too_many_arguments)]
    fn backward(
        &self,
        flow: &Flow,
        parameters: &Flat,
        gradients: &Flat,
        backward: &[TensorId],
        partials: &[Option<TensorId>],
        batch: u32,
        accumulate: bool,
    ) -> Vec<Op> {
        let state = flow.state;
        let mut ops = Vec::new();
        for (index, stage) in self.stages.iter().enumerate().rev() {
            let (input, gradient) = (flow.activations[index], backward[index]);
            let before = index.checked_sub(1).map(|before| backward[before]);
            match (stage, parameters.views[index], gradients.views[index]) {
                (Stage::Conv(conv), Some((weights, _)), Some((weight_gradient, bias_gradient))) => {
                    let geometry = conv.geometry;
                    let choice = flow.choices[index].expect("training keeps the choice");
                    let partial = partials[index].expect("a convolution has partial sums");
                    if let Some(output) = before {
                        let op = Conv2dBackwardInput { state, gradient, choice, weights, output, geometry };
                        ops.push(Op::Conv2dBackwardInput(op));
                    }
                    let (output, block) = (partial, Convolution::block([conv.output.height, conv.output.width]));
                    let op = Conv2dBackwardWeights { state, input, gradient, choice, output, geometry, block };
                    ops.push(Op::Conv2dBackwardWeights(op));
                    let (input, output) = (partial, weight_gradient);
                    ops.push(Op::Reduce(Reduce { input, output, bias_gradient, accumulate }));
                }
                (Stage::Dense(_), Some((weight, _)), Some((weight_gradient, bias_gradient))) => {
                    let product = Matmul {
                        state,
                        form: Form::Tn,
                        a: gradient,
                        b: input,
                        output: weight_gradient,
                        bias: None,
                        relu: false,
                        mask: None,
                        bias_gradient: Some(bias_gradient),
                        accumulate,
                    };
                    if let Some(output) = before {
                        ops.push(Op::Matmul(Matmul {
                            form: Form::Nn,
                            b: weight,
                            output,
                            mask: self.relu_before(index).then_some(input),
                            bias_gradient: None,
                            accumulate: false,
                            ..product.clone()
                        }));
                    }
                    ops.push(Op::Matmul(product));
                }
                (Stage::Dropout(drop), ..) => {
                    if let Some(output) = before {
                        let (rate, layer) = (drop.rate, drop.layer);
                        ops.push(Op::Dropout(Dropout { state, input: gradient, output, rate, layer, batch }));
                    }
                }
                _ => {}
            }
        }
        ops
    }

    /// Whether what goes into a stage is a linear layer's ReLU, be it by way of dropout.
    fn relu_before(&self, index: usize) -> bool {
        let before = self.stages[..index].iter().rev().find(|stage| !matches!(stage, Stage::Dropout(_)));
        matches!(before, Some(Stage::Dense(Dense { relu: true, .. })))
    }

    fn update(&self, state: TensorId, parameters: TensorId, gradients: TensorId, moments: &[TensorId]) -> Op {
        match self.build.optimizer {
            Optimizer::Sgd { momentum, nesterov, weight_decay } => Op::Sgd(Sgd {
                state,
                parameters,
                gradients,
                velocity: moments.first().copied(),
                momentum,
                nesterov,
                weight_decay,
            }),
            Optimizer::Adam { betas, epsilon, weight_decay, decoupled } => Op::Adam(Adam {
                state,
                parameters,
                gradients,
                first_moment: moments[0],
                second_moment: moments[1],
                beta1: betas[0],
                beta2: betas[1],
                epsilon,
                weight_decay,
                decoupled,
            }),
        }
    }
}

/// Of a convolution, the numbers of weights and bias together, and the images of a partial sum of their gradients.
fn partial_sums(stage: &Stage) -> Option<(u64, u32)> {
    let Stage::Conv(conv) = stage else { return None };
    let size = |(_, shape, _): &(String, Vec<u32>, f32)| shape.iter().copied().map(u64::from).product::<u64>();
    let sums = stage.parameters().iter().map(size).sum();
    Some((sums, Convolution::block([conv.output.height, conv.output.width])))
}
