//! Programs as plain data: what validation refuses, rule by rule, what the builder makes, and what kernels bind of it.

mod built;
mod lowered;
mod ops;
mod tensors;

use mnist_gpu::model::{Layer, ModelSpec, Shape};
use mnist_gpu::optimizer::Optimizer;
use mnist_gpu::program::{
    Adam, BeginStep, Build, Element, Form, LoadBatch, Matmul, Op, Program, Role, SoftmaxNll, Tensor, TensorId, build,
};

fn model() -> ModelSpec {
    let layers = vec![Layer::Linear { outputs: 5 }, Layer::Relu, Layer::Linear { outputs: 3 }];
    ModelSpec { name: "small".into(), layers }
}

fn settings(model: &ModelSpec) -> Build<'_> {
    Build {
        model,
        image: Shape::picture(8, 9),
        classes: 3,
        images: 50,
        batch: 8,
        train_images: 30,
        eval_batch: 10,
        optimizer: Optimizer::adam(0.01, true),
        mean: 0.1,
        std: 0.3,
    }
}

/// Two layers on 8×9 pixels, trained by Adam.
fn sound() -> Program {
    build(&settings(&model())).expect("a program")
}

fn id(program: &Program, name: &str) -> TensorId {
    let index = program.tensors.iter().position(|tensor| tensor.name == name);
    TensorId(index.unwrap_or_else(|| panic!("no tensor {name}")) as u32)
}

fn tensor<'a>(program: &'a mut Program, name: &str) -> &'a mut Tensor {
    let id = id(program, name);
    &mut program.tensors[id.index()]
}

/// Another tensor, of no op.
fn add(program: &mut Program, shape: &[u32], element: Element) -> TensorId {
    program.tensors.push(Tensor { name: "added".into(), shape: shape.into(), element, role: Role::Data, view: None });
    TensorId(program.tensors.len() as u32 - 1)
}

/// The first training op of a kind.
macro_rules! first {
    ($program:expr, $kind:ident) => {
        $program
            .train_step
            .iter_mut()
            .find_map(|op| if let Op::$kind(op) = op { Some(op) } else { None })
            .expect("an op")
    };
}

fn begin_step(program: &mut Program) -> &mut BeginStep {
    first!(program, BeginStep)
}

fn load_batch(program: &mut Program) -> &mut LoadBatch {
    first!(program, LoadBatch)
}

fn softmax_nll(program: &mut Program) -> &mut SoftmaxNll {
    first!(program, SoftmaxNll)
}

fn adam(program: &mut Program) -> &mut Adam {
    first!(program, Adam)
}

fn matmul(program: &mut Program, form: Form) -> &mut Matmul {
    let mut ops = program.train_step.iter_mut();
    ops.find_map(|op| if let Op::Matmul(op) = op { (op.form == form).then_some(op) } else { None }).expect("a product")
}

/// Asserts that the program is refused for that reason once it is changed.
fn refuses(problem: &str, change: impl FnOnce(&mut Program)) {
    let mut program = sound();
    change(&mut program);
    let error = program.validate().expect_err(problem).to_string();
    assert!(error.contains(problem), "expected {problem:?}: {error}");
}
