//! A program of one op, with what its tensors hold.

use crate::devices::cpu;
use mnist_gpu::device::{Device, Session};
use mnist_gpu::program::{Element, List, Op, Program, Role, State, Tensor, TensorId, View};
use std::sync::Arc;

/// Tensors being gathered for an op.
#[derive(Default)]
pub struct Rig {
    tensors: Vec<Tensor>,
    contents: Vec<(TensorId, Vec<u8>)>,
}

impl Rig {
    fn tensor(&mut self, shape: &[usize], element: Element, view: Option<View>) -> TensorId {
        let id = TensorId(self.tensors.len() as u32);
        let shape = shape.iter().map(|&extent| extent as u32).collect();
        self.tensors.push(Tensor { name: format!("tensor {}", id.0), shape, element, role: Role::Data, view });
        id
    }

    fn filled<T: bytemuck::Pod>(&mut self, shape: &[usize], element: Element, values: &[T]) -> TensorId {
        let id = self.tensor(shape, element, None);
        assert_eq!(values.len(), self.tensors[id.index()].len());
        self.contents.push((id, bytemuck::cast_slice(values).to_vec()));
        id
    }

    /// A tensor of floats.
    pub fn f32(&mut self, shape: &[usize], values: &[f32]) -> TensorId {
        self.filled(shape, Element::F32, values)
    }

    /// A tensor of unsigned integers.
    pub fn u32(&mut self, shape: &[usize], values: &[u32]) -> TensorId {
        self.filled(shape, Element::U32, values)
    }

    /// A tensor of bytes.
    pub fn u8(&mut self, shape: &[usize], values: &[u8]) -> TensorId {
        self.filled(shape, Element::U8, values)
    }

    /// A view of a tensor of floats, from its byte `offset`.
    pub fn view(&mut self, shape: &[usize], of: TensorId, offset: usize) -> TensorId {
        self.tensor(shape, Element::F32, Some(View { of, offset }))
    }

    /// The state of a run.
    pub fn state(&mut self, state: State) -> TensorId {
        let words: [u32; size_of::<State>() / 4] = bytemuck::cast(state);
        self.u32(&[words.len()], &words)
    }

    /// A state with so many live rows of a batch of as many.
    pub fn live(&mut self, live: usize) -> TensorId {
        self.state(State { live: live as u32, batch: live as u32, ..State::default() })
    }

    /// The tensors after the op on the CPU.
    pub fn run(self, op: Op) -> Box<dyn Session> {
        let program = Program::of(self.tensors, vec![op]);
        let mut session = cpu(2).load(&Arc::new(program)).unwrap_or_else(|error| panic!("{error}"));
        for (id, bytes) in self.contents {
            session.write(id, 0, &bytes).expect("the tensor is as long as its contents");
        }
        session.run(List::TrainStep, 1).expect("the CPU runs every op");
        session
    }
}

/// The floats of a tensor.
pub fn floats(session: &mut Box<dyn Session>, id: TensorId) -> Vec<f32> {
    session.get(id).expect("the CPU reads every tensor")
}
