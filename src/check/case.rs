//! One op with the contents of its tensors: what a check runs on two devices.

use crate::program::{Element, Op, Program, Role, State, Tensor, TensorId, View};
use crate::random::uniform;
use bytemuck::Pod;
use std::ops::Range;

/// A program whose training step is one op, and what every tensor holds before it.
#[derive(Clone, Debug)]
pub struct Case {
    /// What sets it apart from the op's other cases.
    pub name: String,
    /// One op in the training step; nothing else.
    pub program: Program,
    /// The bytes of each tensor, padded to whole words; empty for views.
    pub contents: Vec<Vec<u8>>,
    /// What the op may change, and how exactly it must do so.
    pub written: Vec<Written>,
    /// The same op on the absolute values of its operands: its results are the Σ|aᵢbᵢ| of [`Tolerance::Sum`].
    pub magnitudes: Option<Box<Case>>,
}

/// A range of a tensor that an op writes.
#[derive(Clone, Debug)]
pub struct Written {
    /// The tensor, of elements of four bytes.
    pub tensor: TensorId,
    /// Which of its elements: those of live rows.
    pub elements: Range<usize>,
    /// How far they may lie from the reference.
    pub tolerance: Tolerance,
}

/// How far a number may lie from that of the reference.
#[derive(Clone, Debug)]
pub enum Tolerance {
    /// Not at all: the same bits.
    Exact,
    /// By relative · |reference| + absolute.
    Near {
        /// The share of the reference.
        relative: f64,
        /// What is allowed even at zero.
        absolute: f64,
    },
    /// By factor · Σ|aᵢbᵢ|, for sums of products: a bound relative to the result fails where terms cancel.
    Sum {
        /// c · √k · ε.
        factor: f64,
    },
    /// By a bound of its own for each element of the range.
    Each(Vec<f64>),
}

impl Tolerance {
    /// For element-wise f32: what PyTorch's `assert_close` allows by default, a few roundings of a result and of operands near 1.
    pub const ELEMENTWISE: Self = Self::Near { relative: 1.3e-6, absolute: 1e-5 };

    /// The same number: zero may have either sign.
    pub const EQUAL: Self = Self::Near { relative: 0.0, absolute: 0.0 };

    /// The c of c · √k · ε · Σ|aᵢbᵢ|: rounding errors of k steps add up like a random walk; twice that for outliers.
    pub const SUM_FACTOR: f64 = 2.0;

    /// For a sum of `length` products.
    pub fn sum(length: usize) -> Self {
        Self::Sum { factor: Self::sum_factor(length) }
    }

    /// c · √k · ε for a sum of `length` terms.
    pub fn sum_factor(length: usize) -> f64 {
        Self::SUM_FACTOR * (length.max(1) as f64).sqrt() * f64::from(f32::EPSILON)
    }
}

impl Case {
    /// The floats that a tensor holds before the op, in f64.
    pub fn numbers(&self, id: TensorId) -> Vec<f64> {
        let (owner, offset, bytes) = self.program.place(id);
        let values: Vec<f32> = bytemuck::pod_collect_to_vec(&self.contents[owner.index()][offset..offset + bytes]);
        values.into_iter().map(f64::from).collect()
    }
}

/// A case being written: tensors with their contents, random numbers from a seed.
pub struct Draft {
    seed: u32,
    tensors: Vec<Tensor>,
    contents: Vec<Vec<u8>>,
}

impl Draft {
    /// A case without tensors.
    pub fn new(seed: u32) -> Self {
        Self { seed, tensors: Vec::new(), contents: Vec::new() }
    }

    /// So many numbers in [-1, 1), others for each tensor.
    pub fn numbers(&self, count: usize) -> Vec<f32> {
        let key = [self.seed, self.tensors.len() as u32];
        (0..count as u32).map(|index| 2.0 * uniform(key, [0, index]) - 1.0).collect()
    }

    /// So many integers below `end`.
    pub fn integers(&self, count: usize, end: u32) -> Vec<u32> {
        let key = [self.seed, self.tensors.len() as u32];
        (0..count as u32)
            .map(|index| ((f64::from(uniform(key, [1, index])) * f64::from(end)) as u32).min(end - 1))
            .collect()
    }

    /// A tensor with these contents.
    pub fn tensor<T: Pod>(&mut self, name: &str, shape: &[usize], element: Element, values: &[T]) -> TensorId {
        let role = if name == "state" { Role::State } else { Role::Data };
        let shape = shape.iter().map(|&extent| extent as u32).collect();
        let tensor = Tensor { name: name.into(), shape, element, role, view: None };
        let mut bytes = bytemuck::cast_slice(values).to_vec();
        assert_eq!(bytes.len(), tensor.len() * element.bytes(), "{name} is filled");
        bytes.resize(tensor.bytes(), 0);
        self.contents.push(bytes);
        self.tensors.push(tensor);
        TensorId(self.tensors.len() as u32 - 1)
    }

    /// A tensor of numbers in [-1, 1).
    pub fn random(&mut self, name: &str, shape: &[usize]) -> TensorId {
        let values = self.numbers(shape.iter().product());
        self.tensor(name, shape, Element::F32, &values)
    }

    /// A view of another tensor, from a byte offset.
    pub fn view(&mut self, name: &str, shape: &[usize], of: TensorId, offset: usize) -> TensorId {
        let Tensor { element, role, .. } = self.tensors[of.index()];
        let shape = shape.iter().map(|&extent| extent as u32).collect();
        self.tensors.push(Tensor { name: name.into(), shape, element, role, view: Some(View { of, offset }) });
        self.contents.push(Vec::new());
        TensorId(self.tensors.len() as u32 - 1)
    }

    /// The state.
    pub fn state(&mut self, state: State) -> TensorId {
        let words: [u32; size_of::<State>() / 4] = bytemuck::cast(state);
        self.tensor("state", &[words.len()], Element::U32, &words)
    }

    /// The case of an op over the draft's tensors.
    pub fn case(self, name: String, op: Op, written: Vec<Written>) -> Case {
        let program = Program::of(self.tensors, vec![op]);
        Case { name, program, contents: self.contents, written, magnitudes: None }
    }
}

impl Written {
    /// The first `count` elements of a tensor.
    pub fn first(tensor: TensorId, count: usize, tolerance: Tolerance) -> Self {
        Self { tensor, elements: 0..count, tolerance }
    }
}
