//! What runs on a GPU, as plain data: the buffers, pipelines and dispatches of a program that has been lowered.
//!
//! The executor makes a recording its own with wgpu; as JSON it runs in a page, with WebGPU.

use super::kernels::{Binding, Class, Dispatch, Lowered, Profile, SPARE_BYTES, assemble, lower};
use crate::program::{Element, List, Program, Role, TensorId};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// A program, lowered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recording {
    /// Memory; the first buffer is a spare that is bound in place of operands that are not there.
    pub buffers: Vec<BufferRecord>,
    /// Where each tensor of the program lies, by its id.
    pub tensors: Vec<TensorRecord>,
    /// Every shader that a dispatch runs.
    pub pipelines: Vec<PipelineRecord>,
    /// The dispatches of each list.
    pub lists: Lists,
}

/// The dispatches of a program's lists.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Lists {
    /// Initial weights.
    pub init: Vec<DispatchRecord>,
    /// A training step.
    pub train_step: Vec<DispatchRecord>,
    /// An evaluation step.
    pub eval_step: Vec<DispatchRecord>,
}

/// Memory on the device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BufferRecord {
    /// The tensor that owns it.
    pub name: String,
    /// Its size: whole blocks of [`BLOCK`].
    pub bytes: usize,
    /// Whether a shader binds it as a uniform.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub uniform: bool,
}

/// A tensor's place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TensorRecord {
    /// Its name in the program.
    pub name: String,
    /// Extent of each dimension.
    pub shape: Vec<u32>,
    /// What one element is.
    pub element: Element,
    /// What it is for.
    pub role: Role,
    /// Its buffer; none where no dispatch of the recording has to do with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buffer: Option<usize>,
    /// Where it begins there, in bytes.
    pub offset: usize,
    /// Its length in bytes.
    pub bytes: usize,
}

/// A shader with everything that is needed to compile it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PipelineRecord {
    /// The kernel.
    pub name: Cow<'static, str>,
    /// The entry point.
    pub entry: Cow<'static, str>,
    /// The fields of `params`, a constant that stands behind the source: as WGSL writes them.
    pub params: Vec<String>,
    /// The files that make up the source, in order.
    pub files: Vec<Cow<'static, str>>,
    /// What each binding of group 0 is.
    pub bindings: Vec<Binding>,
}

/// One run of a pipeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DispatchRecord {
    /// Which pipeline.
    pub pipeline: usize,
    /// What the bindings are: buffer, offset and length in bytes.
    pub operands: Vec<(usize, usize, usize)>,
    /// Workgroups in x, y and z.
    pub groups: [u32; 3],
    /// Which op of the program's list it belongs to.
    pub op: usize,
}

/// Buffers are multiples of this many bytes.
pub const BLOCK: usize = 256;

impl Lists {
    /// The dispatches of a list.
    pub fn get(&self, list: List) -> &[DispatchRecord] {
        match list {
            List::Init => &self.init,
            List::TrainStep => &self.train_step,
            List::EvalStep => &self.eval_step,
        }
    }

    fn get_mut(&mut self, list: List) -> &mut Vec<DispatchRecord> {
        match list {
            List::Init => &mut self.init,
            List::TrainStep => &mut self.train_step,
            List::EvalStep => &mut self.eval_step,
        }
    }
}

impl Recording {
    /// Of a valid program, for an adapter with this profile.
    pub fn new(program: &Program, profile: &Profile) -> Self {
        Self::of(program, lower(program, profile), profile.class)
    }

    /// Of dispatches on a program's tensors, for a class of adapters.
    pub fn of(program: &Program, lowered: Lowered, class: Class) -> Self {
        let spare = BufferRecord { name: "spare".into(), bytes: SPARE_BYTES, uniform: false };
        let mut recording =
            Self { buffers: vec![spare], tensors: Vec::new(), pipelines: Vec::new(), lists: Lists::default() };
        let mut buffer_of = vec![0; program.tensors.len()];
        for (index, tensor) in program.tensors.iter().enumerate().filter(|(_, tensor)| tensor.view.is_none()) {
            buffer_of[index] = recording.buffers.len();
            let (name, bytes) = (tensor.name.clone(), tensor.bytes().next_multiple_of(BLOCK));
            recording.buffers.push(BufferRecord { name, bytes, uniform: false });
        }
        for (index, tensor) in program.tensors.iter().enumerate() {
            let (owner, offset, bytes) = program.place(TensorId(index as u32));
            recording.tensors.push(TensorRecord {
                name: tensor.name.clone(),
                shape: tensor.shape.clone(),
                element: tensor.element,
                role: tensor.role,
                buffer: Some(buffer_of[owner.index()]),
                offset,
                bytes,
            });
        }
        for (list, dispatches) in List::ALL.into_iter().zip(lowered) {
            let records = dispatches.into_iter().map(|dispatch| recording.record(dispatch, &buffer_of, class));
            *recording.lists.get_mut(list) = records.collect();
        }
        recording
    }

    fn record(&mut self, dispatch: Dispatch, buffer_of: &[usize], class: Class) -> DispatchRecord {
        let pipeline = PipelineRecord::new(&dispatch, class);
        let Dispatch { op, operands, groups, .. } = dispatch;
        let known = self.pipelines.iter().position(|other| *other == pipeline);
        let pipeline = known.unwrap_or_else(|| {
            self.pipelines.push(pipeline);
            self.pipelines.len() - 1
        });
        let operand = |operand: super::kernels::Operand| {
            let buffer = operand.tensor.map_or(0, |owner| buffer_of[owner.index()]);
            // Whole vectors; the buffers are padded to more than that.
            (buffer, operand.offset, operand.bytes.next_multiple_of(16))
        };
        let operands: Vec<_> = operands.into_iter().map(operand).collect();
        for (&(buffer, ..), kind) in operands.iter().zip(&self.pipelines[pipeline].bindings) {
            self.buffers[buffer].uniform |= kind.is_uniform();
        }
        DispatchRecord { pipeline, operands, groups, op }
    }

    /// The same with some of the lists alone, and without the memory and the shaders that these have no use for.
    #[must_use]
    pub fn only(mut self, lists: &[List]) -> Self {
        let (mut buffers, mut pipelines) = (vec![false; self.buffers.len()], vec![false; self.pipelines.len()]);
        buffers[0] = true;
        for list in List::ALL {
            let dispatches = self.lists.get_mut(list);
            if !lists.contains(&list) {
                dispatches.clear();
            }
            for dispatch in dispatches {
                pipelines[dispatch.pipeline] = true;
                dispatch.operands.iter().for_each(|&(buffer, ..)| buffers[buffer] = true);
            }
        }
        let (buffer_at, pipeline_at) = (places(&buffers), places(&pipelines));
        retain(&mut self.buffers, &buffers);
        retain(&mut self.pipelines, &pipelines);
        for tensor in &mut self.tensors {
            tensor.buffer = tensor.buffer.filter(|&buffer| buffers[buffer]).map(|buffer| buffer_at[buffer]);
        }
        for list in List::ALL {
            for dispatch in self.lists.get_mut(list) {
                dispatch.pipeline = pipeline_at[dispatch.pipeline];
                dispatch.operands.iter_mut().for_each(|(buffer, ..)| *buffer = buffer_at[*buffer]);
            }
        }
        self
    }
}

/// Where each element that is kept comes to lie.
fn places(kept: &[bool]) -> Vec<usize> {
    kept.iter().scan(0, |next, &kept| Some(std::mem::replace(next, *next + usize::from(kept)))).collect()
}

fn retain<T>(all: &mut Vec<T>, kept: &[bool]) {
    let mut kept = kept.iter();
    all.retain(|_| *kept.next().expect("one for each"));
}

impl PipelineRecord {
    /// What a dispatch runs.
    fn new(Dispatch { kernel, params, .. }: &Dispatch, class: Class) -> Self {
        Self {
            name: kernel.name.into(),
            entry: kernel.op.into(),
            params: params.iter().map(ToString::to_string).collect(),
            files: kernel.files(class).map(|(name, _)| name).collect(),
            bindings: kernel.bindings(class),
        }
    }

    /// The whole shader, from the text of each of its files.
    ///
    /// # Errors
    /// When a file is missing.
    pub fn wgsl<'a>(&self, text: &dyn Fn(&str) -> Option<&'a str>) -> Result<String> {
        let missing = |file| Error::Program(format!("the kernel {} needs {file}, which is not there", self.name));
        let texts = self.files.iter().map(|file| text(file).ok_or_else(|| missing(file)));
        let texts = texts.collect::<Result<Vec<_>>>()?;
        Ok(assemble(&self.params, texts.into_iter()))
    }
}
