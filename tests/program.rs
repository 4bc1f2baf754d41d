//! Programs as plain data: what validation refuses, rule by rule, and what the builder makes.

use mnist_gpu::model::{Layer, ModelSpec, Shape};
use mnist_gpu::optimizer::Optimizer;
use mnist_gpu::program::{
    Adam, BINDING_BYTES, BeginStep, Build, Element, Form, LoadBatch, Matmul, Op, Program, Role, SoftmaxNll, Tensor,
    TensorId, View, build,
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

#[test]
fn a_built_program_is_valid_and_plain_data() {
    let program = sound();
    assert!(program.validate().is_ok());
    let json = serde_json::to_string(&program).expect("JSON");
    assert_eq!(serde_json::from_str::<Program>(&json).expect("a program"), program);
}

#[test]
fn shapes_are_usable() {
    for shape in [&[][..], &[0], &[3, 0, 5], &[u32::MAX; 4], &[1 << 31, 1 << 31], &[1 << 31, 1 << 31, 2]] {
        refuses("added: no ", |program| {
            add(program, shape, Element::F32);
        });
    }
    refuses("labels: two tensors have this name", |program| tensor(program, "images").name = "labels".into());
}

#[test]
fn a_tensor_fits_one_binding() {
    let words = (BINDING_BYTES / 4) as u32;
    refuses("added: 134217732 bytes, but a tensor has at most 134217728", |program| {
        add(program, &[words + 1], Element::F32);
    });
    refuses("added: 134217729 bytes", |program| {
        add(program, &[4 * words + 1], Element::U8);
    });
    for (extent, element) in [(words, Element::F32), (4 * words, Element::U8)] {
        let mut program = sound();
        add(&mut program, &[extent], element);
        assert!(program.validate().is_ok(), "{extent} × {element:?} is the most");
    }
}

#[test]
fn views_lie_within_their_owner() {
    let view = |of: fn(&Program) -> TensorId, offset: usize| {
        move |program: &mut Program| {
            let of = of(program);
            tensor(program, "fc1.weight").view = Some(View { of, offset });
        }
    };
    let flat = |program: &Program| program.ports.parameters;
    refuses("fc1.weight: is a view of a tensor that is not there", view(|_| TensorId(999), 0));
    refuses("fc1.weight: is a view of a view", view(|program| id(program, "fc2.weight"), 0));
    refuses("fc1.weight: is a view of a view", view(|program| id(program, "fc1.weight"), 0));
    refuses("fc1.weight: is a view of a view, or of other elements", view(|program| program.ports.labels, 0));
    refuses("fc1.weight: lies at offset 4 of", view(flat, 4));
    refuses("fc1.weight: lies at offset 4096 of", view(flat, 4096));
    refuses("fc1.weight: lies at offset 18446744073709551360 of", view(flat, 0_usize.wrapping_sub(256)));
    // Its owner, which comes later, is no tensor itself.
    refuses("added: no usable shape", |program| {
        let of = add(program, &[1 << 31, 1 << 31], Element::F32);
        tensor(program, "fc1.weight").view = Some(View { of, offset: 0 });
    });
}

#[test]
fn every_tensor_that_is_named_is_there() {
    refuses("train_step[2] matmul: a is tensor 999, of", |program| matmul(program, Form::Nt).a = TensorId(999));
    refuses("bias is tensor 999", |program| matmul(program, Form::Nt).bias = Some(TensorId(999)));
    refuses("init[0] init_uniform: state is tensor 999", |program| {
        let Op::InitUniform(op) = &mut program.init[0] else { panic!("weights are drawn") };
        op.state = TensorId(999);
    });
    refuses("ports: one is tensor 999, of", |program| program.ports.log_probabilities = TensorId(999));
    refuses("ports: one is tensor 999, of", |program| program.ports.eval.metrics = TensorId(999));
    refuses("ports: one is tensor 999, of", |program| program.ports.moments[1] = TensorId(999));
}

#[test]
fn an_op_does_not_read_what_it_writes() {
    let shared = "share memory that the op writes";
    refuses(shared, |program| {
        let op = matmul(program, Form::Nt);
        op.output = op.a;
    });
    refuses(shared, |program| adam(program).gradients = adam(program).parameters);
    refuses(shared, |program| adam(program).second_moment = adam(program).first_moment);
    // A view of what the op writes, and two views that overlap.
    refuses(shared, |program| adam(program).gradients = id(program, "fc1.weight"));
    refuses("bias_gradient and output share memory", |program| {
        let offset = program.place(id(program, "fc2.weight.gradient")).1;
        tensor(program, "fc2.bias.gradient").view.as_mut().expect("a view").offset = offset;
    });
    // Reading twice is no harm: aᵀ · a.
    let mut program = sound();
    let output = add(&mut program, &[5, 5], Element::F32);
    let op = matmul(&mut program, Form::Tn);
    *op = Matmul { a: op.b, b: op.b, output, bias_gradient: None, ..op.clone() };
    assert!(program.validate().is_ok(), "{:?}", program.validate());
}

#[test]
fn states_and_counters_fit() {
    refuses("state must be U32 [12]", |program| tensor(program, "train.state").shape = vec![11]);
    refuses("state must be U32 [12]", |program| tensor(program, "eval.state").element = Element::F32);
    let begins = "begin_step: batch and slots must be at least 1";
    refuses(begins, |program| begin_step(program).batch = 0);
    refuses(begins, |program| begin_step(program).slots = 0);
    refuses("micro-batch 1 begins beyond the batch of 8", |program| begin_step(program).micro_batch = 1);
    refuses("micro-batch 4294967295 begins beyond", |program| begin_step(program).micro_batch = u32::MAX);
}

#[test]
fn batches_have_their_shapes() {
    refuses("labels must be U8 [50]", |program| tensor(program, "labels").element = Element::U32);
    refuses("samples must be U32 [8, 2]", |program| tensor(program, "train.samples").shape = vec![8, 3]);
    refuses("schedule must be F32 [4, 4]", |program| tensor(program, "schedule").shape = vec![4, 3]);
    refuses("images must be U8 [50, 72]", |program| tensor(program, "images").shape = vec![50, 71]);
    refuses("images must be U8 [50, 72]", |program| tensor(program, "images").element = Element::F32);
    refuses("samples must be U32 [8, 2]", |program| load_batch(program).samples = id(program, "eval.samples"));
    refuses("output must be F32 [8, 72]", |program| tensor(program, "train.images").element = Element::U32);
    refuses("logits must be F32 [8, 3]", |program| {
        softmax_nll(program).logits = add(program, &[8, 3], Element::U32);
    });
    refuses("metrics must be F32 [1024, 2]", |program| tensor(program, "train.metrics").shape = vec![1024, 3]);
    refuses("output must be F32 [8, 3]", |program| softmax_nll(program).output = add(program, &[8, 2], Element::F32));
    refuses("output must be F32", |program| {
        let Op::InitUniform(op) = &program.init[0] else { panic!("weights are drawn") };
        let output = op.output.index();
        let owner = add(program, &[1000], Element::U32);
        program.tensors[output].element = Element::U32;
        program.tensors[output].view = Some(View { of: owner, offset: 0 });
    });
}

#[test]
fn products_have_their_shapes() {
    let other = |program: &mut Program, shape: &[u32]| add(program, shape, Element::F32);
    refuses("b must be F32 [5, 71]", |program| matmul(program, Form::Nt).a = other(program, &[8, 71]));
    refuses("a must be F32 [8, 72]", |program| matmul(program, Form::Nt).a = other(program, &[9, 72]));
    refuses("bias must be F32 [5]", |program| matmul(program, Form::Nt).bias = Some(other(program, &[6])));
    refuses("b must be F32 [3, 5]", |program| matmul(program, Form::Nn).b = other(program, &[5, 3]));
    refuses("mask must be F32 [8, 5]", |program| matmul(program, Form::Nn).mask = Some(other(program, &[5, 8])));
    refuses("b must be F32 [9, 5]", |program| matmul(program, Form::Tn).a = other(program, &[9, 3]));
    refuses("a must be F32 [8, 3]", |program| matmul(program, Form::Tn).a = add(program, &[8, 3], Element::U32));
    refuses("bias_gradient must be F32 [3]", |program| tensor(program, "fc2.bias.gradient").shape = vec![4]);
    refuses("gradients must be F32", |program| adam(program).gradients = other(program, &[64]));
    refuses("first_moment must be F32", |program| tensor(program, "first_moment").element = Element::U32);
}

#[test]
fn products_have_what_belongs_to_their_form() {
    refuses("bias and mask exclude each other", |program| {
        let mask = add(program, &[8, 5], Element::F32);
        matmul(program, Form::Nt).mask = Some(mask);
    });
    let rows = "bias, ReLU and mask belong to rows of the batch";
    refuses(rows, |program| matmul(program, Form::Tn).relu = true);
    refuses(rows, |program| matmul(program, Form::Tn).bias = Some(add(program, &[5], Element::F32)));
    refuses(rows, |program| matmul(program, Form::Tn).mask = Some(add(program, &[3, 5], Element::F32)));
    let sums = "bias_gradient and accumulate belong to sums over the batch";
    refuses(sums, |program| matmul(program, Form::Nt).accumulate = true);
    refuses(sums, |program| matmul(program, Form::Nn).accumulate = true);
    let behind = "bias_gradient must lie behind the output in the same tensor";
    refuses(behind, |program| matmul(program, Form::Tn).bias_gradient = Some(add(program, &[3], Element::F32)));
    refuses(behind, |program| {
        let last = program.tensor(program.ports.gradients).bytes() - Tensor::ALIGNMENT;
        tensor(program, "fc2.weight.gradient").view.as_mut().expect("a view").offset = last;
        tensor(program, "fc2.bias.gradient").view.as_mut().expect("a view").offset = 0;
    });
}

/// 30,000 images of 64×64 pixels are 480 MiB of f32: four micro-batches of 8,192 rows, 128 MiB each.
#[test]
fn a_batch_beyond_one_binding_is_taken_in_micro_batches() {
    let model = model();
    let images = Build { image: Shape::picture(64, 64), images: 30_000, train_images: 30_000, ..settings(&model) };
    let program = build(&Build { batch: 30_000, ..images.clone() }).expect("a program");
    let first = program.tensor(id(&program, "train.images"));
    assert_eq!((first.rows(), first.bytes()), (8_192, BINDING_BYTES));
    let micro_batches: Vec<u32> = program
        .train_step
        .iter()
        .filter_map(|op| if let Op::BeginStep(op) = op { Some(op.micro_batch) } else { None })
        .collect();
    assert_eq!(micro_batches, [0, 1, 2, 3]);
    assert_eq!(program.train_step.iter().filter(|op| matches!(op, Op::Adam(_))).count(), 1);
    let program = build(&Build { batch: 8_192, ..images }).expect("a program");
    assert_eq!(program.train_step.iter().filter(|op| matches!(op, Op::BeginStep(_))).count(), 1);
}

#[test]
fn images_that_exceed_one_binding_are_refused() {
    let model = model();
    let error = build(&Build { image: Shape::picture(64, 64), images: 40_000, ..settings(&model) });
    let error = error.expect_err("160 MiB of images").to_string();
    assert!(error.starts_with("images: 163840000 bytes"), "{error}");
}
