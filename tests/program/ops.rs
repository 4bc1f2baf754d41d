//! Operands, shapes and aliases of ops.

use crate::{adam, add, begin_step, id, load_batch, matmul, refuses, softmax_nll, sound, tensor};
use mnist_gpu::program::{Element, Form, Matmul, Op, Program, Tensor, View};

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
