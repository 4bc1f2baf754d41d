//! Tensors, views and ports.

use crate::{add, id, matmul, refuses, sound, tensor};
use mnist_gpu::program::{BINDING_BYTES, Element, Form, Op, Program, TensorId, View};

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
