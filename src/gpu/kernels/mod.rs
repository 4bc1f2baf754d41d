//! The kernels, one file per op: what a shader binds and takes, and how an op becomes dispatches of it.
//!
//! Which variant of a kernel an op gets is decided here and nowhere else.

mod adam;
mod begin_step;
mod conv2d_backward_input;
mod conv2d_backward_weights;
mod conv2d_forward;
mod dropout;
mod init_uniform;
mod load_batch;
mod matmul;
pub(super) mod probe;
mod reduce;
mod sgd;
mod softmax_nll;

use crate::model::MOST_GROUPS;
use crate::program::{List, Op, Program, TensorId};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

/// A shader with everything the host must know to run it.
#[derive(Debug)]
pub struct Kernel {
    /// The op, with `.variant` where it is not the simplest form.
    pub name: &'static str,
    /// The op: also the entry point.
    pub op: &'static str,
    /// The shader's file.
    pub source: &'static str,
    /// Files of shared functions that the shader uses.
    pub shared: &'static [Shared],
    /// What each binding of group 0 is, in order.
    pub bindings: &'static [Binding],
    /// The fields of the shader's `Params`, each with a value that the shader can be built with where no dispatch is at hand.
    pub params: &'static [(&'static str, Value)],
    /// Invocations of a workgroup.
    pub workgroup: [u32; 3],
}

/// How a kernel sees one of its bindings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Binding {
    /// The state, read: as a uniform, or on a device that executes on a CPU as a tensor.
    State,
    /// A tensor that is read.
    Read,
    /// A tensor that is written.
    ReadWrite,
    /// A tensor that is read as a uniform, in vectors of four numbers.
    Uniform,
}

impl Binding {
    /// Whether a shader binds it as a uniform.
    pub fn is_uniform(self) -> bool {
        matches!(self, Self::State | Self::Uniform)
    }
}

/// What a parameter of a kernel is in a dispatch: a constant, so that a shader is built for it alone and the compiler knows
/// every shape, stride and branch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// A whole number.
    U32(u32),
    /// A real number, finite.
    F32(f32),
    /// Yes or no.
    Bool(bool),
}

/// As WGSL writes it.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::U32(value) => write!(f, "{value}u"),
            Self::F32(value) => write!(f, "{value:?}f"),
            Self::Bool(value) => write!(f, "{value}"),
        }
    }
}

/// A file of functions that several shaders use.
#[derive(Clone, Copy, Debug)]
pub struct Shared {
    /// Its name.
    pub name: &'static str,
    /// What stands in it.
    pub text: &'static str,
}

const STATE: Shared = Shared { name: "state.wgsl", text: include_str!("../../../shaders/state.wgsl") };
const STATE_UNIFORM: Shared =
    Shared { name: "state.uniform.wgsl", text: include_str!("../../../shaders/state.uniform.wgsl") };
const STATE_STORAGE: Shared =
    Shared { name: "state.storage.wgsl", text: include_str!("../../../shaders/state.storage.wgsl") };
const RANDOM: Shared = Shared { name: "random.wgsl", text: include_str!("../../../shaders/random.wgsl") };
const PRODUCT: Shared = Shared { name: "product.wgsl", text: include_str!("../../../shaders/product.wgsl") };
const EXPONENTIAL: Shared =
    Shared { name: "exponential.wgsl", text: include_str!("../../../shaders/exponential.wgsl") };
const CONVOLUTION: Shared =
    Shared { name: "convolution.wgsl", text: include_str!("../../../shaders/convolution.wgsl") };
const WEIGHTS: Shared = Shared { name: "weights.wgsl", text: include_str!("../../../shaders/weights.wgsl") };
const OUTER_PRODUCT: Shared =
    Shared { name: "outer_product.wgsl", text: include_str!("../../../shaders/outer_product.wgsl") };

/// Every kernel.
pub static ALL: &[&Kernel] = &[
    &init_uniform::KERNEL,
    &begin_step::KERNEL,
    &load_batch::KERNEL,
    &conv2d_forward::SIMPLE,
    &conv2d_forward::REGISTER,
    &conv2d_forward::SUBGROUP,
    &conv2d_backward_input::SIMPLE,
    &conv2d_backward_input::REGISTER,
    &conv2d_backward_input::SUBGROUP,
    &conv2d_backward_weights::SIMPLE,
    &conv2d_backward_weights::REGISTER,
    &conv2d_backward_weights::SUBGROUP,
    &reduce::KERNEL,
    &dropout::KERNEL,
    &matmul::SIMPLE,
    &matmul::REGISTER,
    &matmul::SUBGROUP,
    &softmax_nll::KERNEL,
    &sgd::PLAIN,
    &sgd::MOMENTUM,
    &adam::KERNEL,
];

/// Kernels of no op: what a device can do at best.
pub static PROBES: &[&Kernel] = &[&probe::FMA, &probe::COPY];

impl Kernel {
    /// The files that make up the shader for a class of adapters, in order: names and texts.
    pub fn files(&self, class: Class) -> impl Iterator<Item = (Cow<'static, str>, &'static str)> {
        let state = self.bindings.contains(&Binding::State).then_some(match class {
            Class::Software | Class::Subgroups => &STATE_STORAGE,
            Class::Hardware => &STATE_UNIFORM,
        });
        let shared = self.shared.iter().chain(state).map(|file| (file.name.into(), file.text));
        std::iter::once((format!("{}.wgsl", self.name).into(), self.source)).chain(shared)
    }

    /// What each binding is on a class of adapters.
    pub fn bindings(&self, class: Class) -> Vec<Binding> {
        let kind = |&kind: &Binding| match (kind, class) {
            (Binding::State, Class::Software | Class::Subgroups) => Binding::Read,
            _ => kind,
        };
        self.bindings.iter().map(kind).collect()
    }

    /// Whether the shader has a use for subgroups of eight invocations.
    pub fn needs_subgroups(&self) -> bool {
        self.source.contains("subgroup_invocation_id")
    }

    /// A whole shader of the kernel, for a class of adapters: with the parameters that stand in its description.
    pub fn wgsl(&self, class: Class) -> String {
        let params: Vec<String> = self.params.iter().map(|(_, value)| value.to_string()).collect();
        assemble(&params, self.files(class).map(|(_, text)| text))
    }
}

/// Puts a shader together from its parameters and the texts of its files.
pub(super) fn assemble<'a>(params: &[String], texts: impl Iterator<Item = &'a str>) -> String {
    format!("{}\nconst params = Params({});\n", texts.collect::<Vec<_>>().join("\n"), params.join(", "))
}

/// The text of a shader's file.
pub fn text(file: &str) -> Option<&'static str> {
    let kernels = ALL.iter().chain(PROBES);
    let files = kernels.flat_map(|kernel| Class::ALL.into_iter().flat_map(|class| kernel.files(class)));
    files.into_iter().find(|(name, _)| name == file).map(|(_, text)| text)
}

/// One run of a kernel over a grid of workgroups.
#[derive(Clone, Debug)]
pub struct Dispatch {
    /// What runs.
    pub kernel: &'static Kernel,
    /// Which op of its list it belongs to.
    pub op: usize,
    /// The fields of `Params`.
    pub params: Vec<Value>,
    /// What is bound, in order.
    pub operands: Vec<Operand>,
    /// Workgroups in x, y and z.
    pub groups: [u32; 3],
}

/// A range of a tensor that owns memory, or what is bound in place of an operand that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Operand {
    /// The owner; none for a spare buffer that the kernel leaves alone.
    pub tensor: Option<TensorId>,
    /// Where the range begins, in bytes.
    pub offset: usize,
    /// Its length in bytes.
    pub bytes: usize,
}

/// Bytes of a uniform that every device takes.
const UNIFORM_BYTES: usize = 65_536;

/// Size of the spare buffer.
pub const SPARE_BYTES: usize = 256;

const SPARE: Operand = Operand { tensor: None, offset: 0, bytes: SPARE_BYTES };

/// What lowering knows of an adapter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Which table of kernel choices applies.
    pub class: Class,
    /// Where another one does.
    pub tuning: Tuning,
}

/// By an op's [signature](Program::signature), the class of adapters whose kernel it gets.
pub type Tuning = BTreeMap<String, Class>;

/// The kinds of adapters that want different kernels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// Executes shaders on a CPU.
    Software,
    /// The same, and has subgroups of eight invocations.
    Subgroups,
    /// A GPU.
    Hardware,
}

impl Class {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Software, Self::Subgroups, Self::Hardware];
    /// Those whose kernels run on every device.
    pub const PORTABLE: [Self; 2] = [Self::Software, Self::Hardware];

    /// Those whose kernels run on an adapter of this class.
    pub fn runnable(self) -> Vec<Self> {
        Self::ALL.into_iter().filter(|class| Self::PORTABLE.contains(class) || *class == self).collect()
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Software => "software",
            Self::Subgroups => "subgroups",
            Self::Hardware => "hardware",
        }
    }
}

impl Profile {
    /// Of a class of adapters.
    pub fn of(class: Class) -> Self {
        Self { class, tuning: Tuning::new() }
    }

    /// The class whose kernel an op gets.
    pub fn class_for(&self, program: &Program, op: &Op) -> Class {
        if self.tuning.is_empty() {
            return self.class;
        }
        self.tuning.get(&program.signature(op)).copied().unwrap_or(self.class)
    }
}

/// The dispatches of each list of a program, by [`List::ALL`].
pub type Lowered = [Vec<Dispatch>; 3];

/// Turns a valid program into dispatches.
pub fn lower(program: &Program, profile: &Profile) -> Lowered {
    List::ALL.map(|list| {
        let mut context = Context { program, class: profile.class, op: 0, dispatches: Vec::new() };
        for (index, op) in program.list(list).iter().enumerate() {
            context.op = index;
            context.class = profile.class_for(program, op);
            match op {
                Op::InitUniform(op) => init_uniform::lower(op, &mut context),
                Op::BeginStep(op) => begin_step::lower(op, &mut context),
                Op::LoadBatch(op) => load_batch::lower(op, &mut context),
                Op::Conv2dForward(op) => conv2d_forward::lower(op, &mut context),
                Op::Conv2dBackwardInput(op) => conv2d_backward_input::lower(op, &mut context),
                Op::Conv2dBackwardWeights(op) => conv2d_backward_weights::lower(op, &mut context),
                Op::Reduce(op) => reduce::lower(op, &mut context),
                Op::Dropout(op) => dropout::lower(op, &mut context),
                Op::Matmul(op) => matmul::lower(op, &mut context),
                Op::SoftmaxNll(op) => softmax_nll::lower(op, &mut context),
                Op::Sgd(op) => sgd::lower(op, &mut context),
                Op::Adam(op) => adam::lower(op, &mut context),
            }
        }
        context.dispatches
    })
}

struct Context<'a> {
    program: &'a Program,
    /// Whose kernel the op gets.
    class: Class,
    op: usize,
    dispatches: Vec<Dispatch>,
}

impl Context<'_> {
    fn rows(&self, id: TensorId) -> u32 {
        self.program.tensor(id).rows() as u32
    }

    fn row_len(&self, id: TensorId) -> u32 {
        self.program.tensor(id).row_len() as u32
    }

    fn len(&self, id: TensorId) -> u32 {
        self.program.tensor(id).len() as u32
    }

    /// The whole of a tensor.
    fn operand(&self, id: TensorId) -> Operand {
        let (tensor, offset, bytes) = self.program.place(id);
        Operand { tensor: Some(tensor), offset, bytes }
    }

    /// The operand that may not be there.
    fn optional(&self, id: Option<TensorId>) -> Operand {
        id.map_or(SPARE, |id| self.operand(id))
    }

    /// An operand as a uniform, with its length in vectors; where it is too long for one, its first vector and zero. (The
    /// spare may be bound for writing besides.)
    fn uniform(operand: Operand) -> (Operand, u32) {
        let vectors = operand.bytes.div_ceil(16) as u32;
        if operand.bytes > UNIFORM_BYTES { (Operand { bytes: 16, ..operand }, 0) } else { (operand, vectors) }
    }

    /// From the start of one tensor to the end of another that lies behind it in the same owner.
    fn span(&self, first: TensorId, last: TensorId) -> Operand {
        let (first, last) = (self.operand(first), self.operand(last));
        Operand { bytes: last.offset + last.bytes - first.offset, ..first }
    }

    fn push<const P: usize, const O: usize>(
        &mut self,
        kernel: &'static Kernel,
        params: [Value; P],
        operands: [Operand; O],
        groups: [u32; 3],
    ) {
        debug_assert_eq!(kernel.params.len(), P);
        debug_assert_eq!(kernel.bindings.len(), O);
        debug_assert!(groups.iter().all(|&count| count <= MOST_GROUPS), "{}: {groups:?}", kernel.name);
        self.dispatches.push(Dispatch {
            kernel,
            op: self.op,
            params: params.to_vec(),
            operands: operands.to_vec(),
            groups,
        });
    }

    /// A grid of workgroups of `width` invocations over `count` elements, and the invocations in a row of it: what
    /// exceeds the workgroups of one dimension goes on in the next row.
    fn grid(count: u32, width: u32) -> ([u32; 3], u32) {
        let groups = count.div_ceil(width);
        let rows = groups.div_ceil(MOST_GROUPS);
        let columns = groups.div_ceil(rows);
        ([columns, rows, 1], columns * width)
    }
}
