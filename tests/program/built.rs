//! What the builder makes.

use crate::{id, model, settings, sound};
use mnist_gpu::model::Shape;
use mnist_gpu::program::{BINDING_BYTES, Build, Op, Program, build};

#[test]
fn a_built_program_is_valid_and_plain_data() {
    let program = sound();
    assert!(program.validate().is_ok());
    let json = serde_json::to_string(&program).expect("JSON");
    assert_eq!(serde_json::from_str::<Program>(&json).expect("a program"), program);
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
