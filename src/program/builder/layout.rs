//! Which tensors a program has, and how large they are.

use super::{Builder, Flat, Flow};
use crate::model::{Shape, Stage};
use crate::program::{
    BINDING_BYTES, BLOCK, Convolution, Element, LOOP_ITERATIONS, Role, State, Tensor, TensorId, View,
};
use crate::{Error, Result};

/// The most rows of a micro-batch: a product over the batch loops over it twice, for weights and bias. (Nor may the batch
/// exceed 65,535 where it is a dimension of a grid of workgroups.)
const MICRO_ROWS: u32 = 16_384;

impl Builder<'_> {
    pub(super) fn add(&mut self, name: &str, shape: &[u32], element: Element, role: Role) -> TensorId {
        self.tensors.push(Tensor { name: name.into(), shape: shape.to_vec(), element, role, view: None });
        TensorId(self.tensors.len() as u32 - 1)
    }

    pub(super) fn add_like(&mut self, name: &str, like: TensorId, role: Role) -> TensorId {
        let Tensor { shape, element, .. } = self.tensors[like.index()].clone();
        self.add(name, &shape, element, role)
    }

    /// One flat tensor with a view for every parameter, each at a multiple of the alignment, zeros between.
    pub(super) fn flat(&mut self, name: &str, suffix: &str, role: Role) -> Flat {
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
    pub(super) fn micro_rows(&self, batch: u32) -> Result<u32> {
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

    pub(super) fn flow(&mut self, phase: &str, rows: u32, slots: u32, train: bool) -> Flow {
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
    pub(super) fn backward_tensors(&mut self, train: &Flow) -> Vec<TensorId> {
        let outputs = train.activations[1..].iter();
        outputs
            .map(|&id| {
                let name = format!("{}.gradient", self.tensors[id.index()].name);
                self.add_like(&name, id, Role::Activation)
            })
            .collect()
    }

    /// A tensor for the partial sums of each convolution.
    pub(super) fn partial_tensors(&mut self, train: &Flow) -> Vec<Option<TensorId>> {
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
}

/// Of a convolution, the numbers of weights and bias together, and the images of a partial sum of their gradients.
fn partial_sums(stage: &Stage) -> Option<(u64, u32)> {
    let Stage::Conv(conv) = stage else { return None };
    let size = |(_, shape, _): &(String, Vec<u32>, f32)| shape.iter().copied().map(u64::from).product::<u64>();
    let sums = stage.parameters().iter().map(size).sum();
    Some((sums, Convolution::block([conv.output.height, conv.output.width])))
}
