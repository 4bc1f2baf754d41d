//! The tensors of a program in main memory.

use crate::program::{Element, Program, TensorId};
use crate::{Error, Result};
use bytemuck::{Pod, Zeroable};
use std::any::Any;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};

/// One cache line, so that tensors and their views are aligned for vector loads.
#[repr(C, align(64))]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Line([u32; 16]);

/// Floats that begin with a cache line, so that loads of whole vectors cross none.
#[derive(Clone, Default)]
pub(super) struct Floats {
    lines: Vec<Line>,
    len: usize,
}

impl Floats {
    /// So many zeros.
    pub fn zeros(len: usize) -> Self {
        Self { lines: vec![Line::zeroed(); len.div_ceil(16)], len }
    }

    /// As many as they shall be; what was there before may stay.
    pub fn resize(&mut self, len: usize) {
        self.lines.resize(len.div_ceil(16), Line::zeroed());
        self.len = len;
    }
}

impl Deref for Floats {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &bytemuck::cast_slice(&self.lines)[..self.len]
    }
}

impl DerefMut for Floats {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut bytemuck::cast_slice_mut(&mut self.lines)[..self.len]
    }
}

/// Every tensor that owns memory, by its id; views are ranges of those.
pub(super) struct Memory {
    program: Arc<Program>,
    owned: Vec<Vec<Line>>,
    /// How often each owner was written.
    versions: Vec<u64>,
    /// What was derived for a tensor, and from which versions: see [`Memory::derived`].
    derived: Vec<Mutex<Option<Derived>>>,
}

struct Derived {
    versions: u64,
    value: Arc<dyn Any + Send + Sync>,
}

impl Memory {
    /// All tensors, zeroed.
    ///
    /// # Errors
    /// When there is not so much memory; the message names the tensor.
    pub fn new(program: &Arc<Program>) -> Result<Self> {
        let owned = program.tensors.iter().map(|tensor| {
            let bytes = if tensor.view.is_none() { tensor.bytes() } else { 0 };
            bytemuck::try_zeroed_vec(bytes.div_ceil(size_of::<Line>())).map_err(|()| {
                Error::Device(format!(
                    "CPU: out of memory for {} ({bytes} bytes). A smaller --batch-size needs less",
                    tensor.name
                ))
            })
        });
        Ok(Self {
            owned: owned.collect::<Result<_>>()?,
            versions: vec![0; program.tensors.len()],
            derived: program.tensors.iter().map(|_| Mutex::default()).collect(),
            program: Arc::clone(program),
        })
    }

    /// The program that the tensors belong to.
    pub fn program(&self) -> &Arc<Program> {
        &self.program
    }

    /// The bytes of a tensor, padded to whole words.
    pub fn bytes(&self, id: TensorId) -> &[u8] {
        let (owner, offset, bytes) = self.program.place(id);
        &bytemuck::cast_slice(&self.owned[owner.index()])[offset..offset + bytes]
    }

    /// The bytes of a tensor, to write.
    pub fn bytes_mut(&mut self, id: TensorId) -> &mut [u8] {
        let (owner, offset, bytes) = self.program.place(id);
        self.versions[owner.index()] += 1;
        &mut bytemuck::cast_slice_mut(&mut self.owned[owner.index()])[offset..offset + bytes]
    }

    /// A tensor of floats.
    pub fn f32(&self, id: TensorId) -> &[f32] {
        debug_assert_eq!(self.program.tensor(id).element, Element::F32);
        bytemuck::cast_slice(self.bytes(id))
    }

    /// A tensor of floats that may be absent: then empty.
    pub fn optional(&self, id: Option<TensorId>) -> &[f32] {
        id.map_or(&[], |id| self.f32(id))
    }

    /// A tensor of unsigned integers.
    pub fn u32(&self, id: TensorId) -> &[u32] {
        bytemuck::cast_slice(self.bytes(id))
    }

    /// The state of a run.
    pub fn state(&self, id: TensorId) -> crate::program::State {
        bytemuck::pod_read_unaligned(self.bytes(id))
    }

    /// What the op that writes `output` makes of some of its inputs, such as weights in another order; kept for as long as
    /// none of these is written. Each such op makes one kind of thing.
    pub fn derived<T: Any + Send + Sync>(
        &self,
        output: TensorId,
        inputs: &[TensorId],
        make: impl FnOnce() -> T,
    ) -> Arc<T> {
        let versions = inputs.iter().map(|&input| self.versions[self.program.place(input).0.index()]).sum();
        let mut kept = self.derived[output.index()].lock().unwrap_or_else(PoisonError::into_inner);
        let value = kept.as_ref().filter(|kept| kept.versions == versions).map(|kept| Arc::clone(&kept.value));
        value.and_then(|value| value.downcast().ok()).unwrap_or_else(|| {
            let value = Arc::new(make());
            *kept = Some(Derived { versions, value: Arc::clone(&value) as _ });
            value
        })
    }

    /// Gives an op the tensors that it writes, and all others to read. An absent tensor is an empty slice.
    ///
    /// The owners of the written tensors are taken out of the memory meanwhile: reading them there would be the aliasing
    /// that [`Program::validate`] rules out.
    pub fn with_outputs<const N: usize, R>(
        &mut self,
        ids: [Option<TensorId>; N],
        op: impl FnOnce(&Self, [&mut [f32]; N]) -> R,
    ) -> R {
        let places = ids.map(|id| id.map(|id| self.program.place(id)));
        let mut owners: Vec<usize> = places.iter().flatten().map(|(owner, ..)| owner.index()).collect();
        owners.sort_unstable();
        owners.dedup();
        let mut taken: Vec<Vec<Line>> = owners.iter().map(|&owner| std::mem::take(&mut self.owned[owner])).collect();
        let mut outputs = [const { [].as_mut_slice() }; N];
        for (&owner, lines) in owners.iter().zip(&mut taken) {
            let mut rest: &mut [f32] = bytemuck::cast_slice_mut(lines);
            let mut start = 0;
            let mut views: Vec<(usize, usize, usize)> = places
                .iter()
                .enumerate()
                .filter_map(|(index, place)| {
                    place
                        .filter(|(of, ..)| of.index() == owner)
                        .map(|(_, offset, bytes)| (offset / 4, bytes / 4, index))
                })
                .collect();
            views.sort_unstable();
            for (offset, len, index) in views {
                let (_, from) = rest.split_at_mut(offset - start);
                let (view, after) = from.split_at_mut(len);
                outputs[index] = view;
                rest = after;
                start = offset + len;
            }
        }
        let result = op(self, outputs);
        for (owner, lines) in owners.into_iter().zip(taken) {
            self.owned[owner] = lines;
            self.versions[owner] += 1;
        }
        result
    }
}
