//! Programs with convolutions: what the builder makes of them, and what validation refuses.

use mnist_gpu::model::{Layer, ModelSpec, Shape, preset};
use mnist_gpu::optimizer::Optimizer;
use mnist_gpu::program::{
    BINDING_BYTES, Build, Conv2dBackwardInput, Conv2dBackwardWeights, Conv2dForward, Convolution, Dropout, Element, Op,
    Program, Reduce, Role, Tensor, TensorId, build,
};

fn settings(model: &ModelSpec) -> Build<'_> {
    Build {
        model,
        image: Shape::picture(28, 28),
        classes: 10,
        images: 5_000,
        batch: 100,
        train_images: 4_000,
        eval_batch: 50,
        optimizer: Optimizer::Sgd { momentum: 0.9, nesterov: false, weight_decay: 0.0 },
        mean: 0.1,
        std: 0.3,
    }
}

fn built(name: &str) -> Program {
    build(&settings(&preset(name, 10).expect("a preset"))).expect("a program")
}

fn id(program: &Program, name: &str) -> TensorId {
    let index = program.tensors.iter().position(|tensor| tensor.name == name);
    TensorId(index.unwrap_or_else(|| panic!("no tensor {name}")) as u32)
}

fn shape<'a>(program: &'a Program, name: &str) -> &'a [u32] {
    &program.tensor(id(program, name)).shape
}

fn names(ops: &[Op]) -> Vec<&'static str> {
    ops.iter().map(Op::name).collect()
}

#[test]
fn a_step_is_written_out() {
    let convnet = built("convnet");
    let (forward, weights, input, reduce) =
        ("conv2d_forward", "conv2d_backward_weights", "conv2d_backward_input", "reduce");
    let expected = [
        &["begin_step", "load_batch", forward, forward, "dropout", "matmul", "dropout", "matmul", "softmax_nll"][..],
        &["matmul", "matmul", "dropout", "matmul", "matmul", "dropout"],
        // The first layer needs no gradient of its input.
        &[input, weights, reduce, weights, reduce, "sgd"],
    ];
    assert_eq!(names(&convnet.train_step), expected.concat());
    // Evaluation drops nothing out and keeps no choice.
    let evaluation = ["begin_step", "load_batch", forward, forward, "matmul", "matmul", "softmax_nll"];
    assert_eq!(names(&convnet.eval_step), evaluation);
    let choices = |ops: &[Op]| -> Vec<bool> {
        let choice = |op: &Op| if let Op::Conv2dForward(op) = op { Some(op.choice.is_some()) } else { None };
        ops.iter().filter_map(choice).collect()
    };
    assert_eq!((choices(&convnet.train_step), choices(&convnet.eval_step)), (vec![true; 2], vec![false; 2]));
    assert_eq!(shape(&convnet, "train.conv1.choice"), [100, 32, 26, 26]);
    // 100 images are six blocks of sixteen and one of four.
    assert_eq!(shape(&convnet, "train.conv2.partial_sums"), [7, 32 * 64 * 9 + 64]);
    assert!(convnet.tensors.iter().all(|tensor| tensor.name != "eval.dropout1"));
}

#[test]
fn presets_of_convolutions_are_plain_data() {
    for name in ["cnn", "lenet", "convnet"] {
        let program = built(name);
        let json = serde_json::to_string(&program).expect("JSON");
        assert_eq!(serde_json::from_str::<Program>(&json).expect("a program"), program, "{name}");
    }
}

fn convolution(channels: u32, kernel: u32) -> ModelSpec {
    let conv = Layer::Conv2d { channels, kernel: [kernel; 2], stride: [1, 1], padding: [0, 0] };
    ModelSpec { name: "wide".into(), layers: vec![conv, Layer::Linear { outputs: 10 }] }
}

/// Partial sums of 803,840 numbers: 41 blocks of sixteen images fit one binding.
#[test]
fn partial_sums_fit_one_binding() {
    let wide = convolution(1024, 28);
    for (batch, rows) in [(656, 656), (657, 656), (668, 656), (2_000, 656), (16, 16), (3, 3)] {
        let program = build(&Build { batch, ..settings(&wide) }).expect("a program");
        let sums = program.tensor(id(&program, "train.conv1.partial_sums"));
        assert!(sums.bytes() <= BINDING_BYTES && sums.shape[0] == u32::div_ceil(rows, 16), "{batch}: {:?}", sums.shape);
        assert_eq!(shape(&program, "train.images")[0], rows, "a batch of {batch}");
        let beginnings = program.train_step.iter().filter(|op| matches!(op, Op::BeginStep(_)));
        assert_eq!(beginnings.count() as u32, batch.div_ceil(rows), "a batch of {batch}");
    }
}

/// 62 × 62 places of sixteen images are as many as a shader's loop may have.
#[test]
fn partial_sums_of_large_images_are_of_fewer_images() {
    let model = convolution(2, 3);
    for (size, block) in [(28, 16), (64, 16), (65, 8), (128, 4), (250, 1)] {
        let image = Shape::picture(size, size);
        let program = build(&Build { image, images: 60, train_images: 60, ..settings(&model) }).expect("a program");
        let blocks = program.train_step.iter().filter_map(|op| match op {
            Op::Conv2dBackwardWeights(op) => Some(op.block),
            _ => None,
        });
        assert_eq!(blocks.collect::<Vec<_>>(), [block], "{size} × {size}");
        assert_eq!(shape(&program, "train.conv1.partial_sums")[0], u32::div_ceil(60, block), "{size} × {size}");
    }
}

#[test]
fn weights_beyond_any_memory_are_refused_by_name() {
    let wider = Layer::Conv2d { channels: 256, kernel: [1, 1], stride: [1, 1], padding: [0, 0] };
    let mut model = convolution(4096, 64);
    model.layers.insert(0, wider);
    let image = Shape::picture(64, 64);
    let error = build(&Build { image, images: 60, train_images: 60, ..settings(&model) }).expect_err("16 GiB");
    assert!(error.to_string().starts_with("conv2.weight: 17179869184 bytes"), "{error}");
}

/// Two convolutions and dropout on 9 × 8 pixels.
fn sound() -> Program {
    let conv = |channels| Layer::Conv2d { channels, kernel: [3, 3], stride: [1, 1], padding: [1, 1] };
    let pool = Layer::MaxPool { size: [2, 2], stride: None };
    let dropout = Layer::Dropout { rate: 0.5 };
    let layers = vec![conv(4), Layer::Relu, pool, conv(5), dropout, Layer::Linear { outputs: 10 }];
    let model = ModelSpec { name: "small".into(), layers };
    build(&Build { image: Shape::picture(9, 8), ..settings(&model) }).expect("a program")
}

fn add(program: &mut Program, shape: &[u32], element: Element) -> TensorId {
    program.tensors.push(Tensor { name: "added".into(), shape: shape.into(), element, role: Role::Data, view: None });
    TensorId(program.tensors.len() as u32 - 1)
}

/// The last training op of a kind.
macro_rules! last {
    ($program:expr, $kind:ident) => {{
        let mut ops = $program.train_step.iter_mut().rev();
        let op: &mut $kind = ops.find_map(|op| if let Op::$kind(op) = op { Some(op) } else { None }).expect("an op");
        op
    }};
}

/// Asserts that the program is refused for that reason once it is changed.
fn refuses(problem: &str, change: impl FnOnce(&mut Program)) {
    let mut program = sound();
    change(&mut program);
    let error = program.validate().expect_err(problem).to_string();
    assert!(error.contains(problem), "expected {problem:?}: {error}");
}

#[test]
fn geometries_are_usable() {
    assert!(sound().validate().is_ok());
    let change = |problem: &str, change: fn(&mut Convolution)| {
        refuses(problem, |program| change(&mut last!(program, Conv2dForward).geometry));
        refuses(problem, |program| change(&mut last!(program, Conv2dBackwardInput).geometry));
        refuses(problem, |program| change(&mut last!(program, Conv2dBackwardWeights).geometry));
    };
    change("no usable geometry", |geometry| geometry.stride[0] = 0);
    change("no usable geometry", |geometry| geometry.kernel[1] = 0);
    change("no usable geometry", |geometry| geometry.pool[0] = 0);
    change("no usable geometry", |geometry| geometry.pool_stride[1] = 0);
    change("no usable geometry", |geometry| geometry.padding = [3, 0]);
    change("planes of Some", |geometry| geometry.stride = [2, 2]);
    change("planes of Some", |geometry| geometry.pool_stride = [1, 3]);
    change("planes of None", |geometry| geometry.pool = [20, 20]);
    change("planes of None", |geometry| geometry.kernel = [u32::MAX; 2]);
    // Sizes that overflow.
    change("planes of None", |geometry| (geometry.kernel, geometry.padding) = ([u32::MAX; 2], [u32::MAX - 1; 2]));
    change("must be", |geometry| (geometry.kernel, geometry.padding) = ([1 << 31; 2], [(1 << 31) - 1; 2]));
}

#[test]
fn operands_have_their_shapes() {
    refuses("added must be f32 [5, 4, 3, 3]", |program| {
        let weights = add(program, &[5, 3, 4, 3], Element::F32);
        last!(program, Conv2dBackwardInput).weights = weights;
    });
    refuses("choice must be U32 [100, 80]", |program| {
        let choice = add(program, &[100, 5, 4, 3], Element::F32);
        last!(program, Conv2dForward).choice = Some(choice);
    });
    refuses("choice must be U32 [100, 80]", |program| {
        let choice = add(program, &[100, 5, 4, 2], Element::U32);
        last!(program, Conv2dBackwardInput).choice = choice;
    });
    refuses("bias must be F32 [5]", |program| {
        let bias = add(program, &[4], Element::F32);
        last!(program, Conv2dForward).bias = bias;
    });
    refuses("bias must lie behind the weights in the same tensor", |program| {
        let bias = add(program, &[5], Element::F32);
        last!(program, Conv2dForward).bias = bias;
    });
    refuses("must have four dimensions", |program| {
        let input = add(program, &[100, 4 * 4 * 4], Element::F32);
        last!(program, Conv2dForward).input = input;
    });
    refuses("must be F32, but is U32", |program| {
        let input = add(program, &[100, 4, 4, 4], Element::U32);
        last!(program, Conv2dForward).input = input;
    });
}

#[test]
fn partial_sums_have_their_shapes() {
    refuses("a block has at least one image", |program| last!(program, Conv2dBackwardWeights).block = 0);
    refuses("output must be F32 [13, 40]", |program| last!(program, Conv2dBackwardWeights).block = 8);
    refuses("output must be F32 [7, 40]", |program| {
        last!(program, Conv2dBackwardWeights).output = add(program, &[7, 36], Element::F32);
    });
    refuses("input must be F32 [7, 40]", |program| {
        last!(program, Reduce).input = add(program, &[7, 41], Element::F32);
    });
    refuses("bias_gradient must lie behind the output in the same tensor", |program| {
        last!(program, Reduce).bias_gradient = add(program, &[4], Element::F32);
    });
    let shared = "share memory that the op writes";
    refuses(shared, |program| last!(program, Conv2dForward).output = last!(program, Conv2dForward).input);
    refuses(shared, |program| last!(program, Dropout).output = last!(program, Dropout).input);
    for rate in [1.0, -0.1, f32::NAN] {
        refuses("is out of range", |program| last!(program, Dropout).rate = rate);
    }
    refuses("is out of range", |program| last!(program, Dropout).batch = 0);
}
