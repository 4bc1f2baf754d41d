//! The ops of a step: forwards, backwards, update; and those that draw the initial weights.

use super::{Builder, Flat, Flow};
use crate::model::{Conv, Dense, Stage};
use crate::optimizer::Optimizer;
use crate::program::{
    Adam, Conv2dBackwardInput, Conv2dBackwardWeights, Conv2dForward, Convolution, Dropout, Form, InitUniform, Matmul,
    Op, Reduce, Sgd, TensorId,
};

impl Builder<'_> {
    pub(super) fn init(&self, state: TensorId, parameters: &Flat) -> Vec<Op> {
        let bounds = self.stages.iter().flat_map(|stage| stage.parameters().into_iter().map(|(_, _, bound)| bound));
        let views = parameters.views.iter().flatten().flat_map(|&(weight, bias)| [weight, bias]);
        views
            .zip(bounds)
            .zip(0..)
            .map(|((output, bound), stream)| Op::InitUniform(InitUniform { state, output, bound, stream }))
            .collect()
    }

    pub(super) fn forward(&self, flow: &Flow, parameters: &Flat, batch: u32) -> Vec<Op> {
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
    pub(super) fn backward(
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
    pub(super) fn relu_before(&self, index: usize) -> bool {
        let before = self.stages[..index].iter().rev().find(|stage| !matches!(stage, Stage::Dropout(_)));
        matches!(before, Some(Stage::Dense(Dense { relu: true, .. })))
    }

    pub(super) fn update(
        &self,
        state: TensorId,
        parameters: TensorId,
        gradients: TensorId,
        moments: &[TensorId],
    ) -> Op {
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
