use super::{DEAD, assert_dead, batch, bound, numbers, rig::Rig, rig::floats, wide};
use crate::reference::linear;
use mnist_gpu::program::{Form, Matmul, Op, Tensor};
use proptest::prelude::*;

/// A product whose batch has `rows` rows, of which `live` count. The two other extents are named as a layer's.
#[derive(Clone, Copy, Debug)]
struct Case {
    form: Form,
    rows: usize,
    live: usize,
    inputs: usize,
    outputs: usize,
    /// Bias and ReLU forwards, the mask for the input, the bias gradient and accumulation for the weights.
    fused: bool,
}

fn check(case: Case) {
    let Case { rows, live, inputs, outputs, .. } = case;
    match case.form {
        Form::Nt => forward(case, &batch(0, rows, live, inputs), &numbers(1, outputs * inputs)),
        Form::Nn => by_input(case, &batch(0, rows, live, outputs), &numbers(1, outputs * inputs)),
        Form::Tn => by_weights(case, &batch(0, rows, live, outputs), &batch(1, rows, live, inputs)),
    }
}

fn absolute(values: &[f64]) -> Vec<f64> {
    values.iter().map(|x| x.abs()).collect()
}

/// output = ReLU(a · bᵀ + bias).
fn forward(case: Case, a: &[f32], b: &[f32]) {
    let Case { rows, live, inputs, outputs, fused, .. } = case;
    let bias = numbers(2, outputs);
    let mut rig = Rig::default();
    let output = rig.f32(&[rows, outputs], &vec![DEAD; rows * outputs]);
    let op = Matmul {
        state: rig.live(live),
        form: Form::Nt,
        a: rig.f32(&[rows, inputs], a),
        b: rig.f32(&[outputs, inputs], b),
        output,
        bias: fused.then(|| rig.f32(&[outputs], &bias)),
        relu: fused,
        mask: None,
        bias_gradient: None,
        accumulate: false,
    };
    let mut session = rig.run(Op::Matmul(op));
    let (a, b, bias) = (wide(&a[..live * inputs]), wide(b), wide(&bias));
    let mut theirs = linear::matmul_nt(live, outputs, inputs, &a, &b);
    let mut sizes = linear::matmul_nt(live, outputs, inputs, &absolute(&a), &absolute(&b));
    if fused {
        theirs = linear::relu(&linear::add_bias(&theirs, &bias));
        sizes = linear::add_bias(&sizes, &absolute(&bias));
    }
    held(case, &floats(&mut session, output), &theirs, &sizes, inputs);
}

/// output = a · b, zero where the mask is not positive.
fn by_input(case: Case, a: &[f32], b: &[f32]) {
    let Case { rows, live, inputs, outputs, fused, .. } = case;
    let mask: Vec<f32> = batch(2, rows, live, inputs).iter().map(|&x| if x.abs() < 0.3 { 0.0 } else { x }).collect();
    let mut rig = Rig::default();
    let output = rig.f32(&[rows, inputs], &vec![DEAD; rows * inputs]);
    let op = Matmul {
        state: rig.live(live),
        form: Form::Nn,
        a: rig.f32(&[rows, outputs], a),
        b: rig.f32(&[outputs, inputs], b),
        output,
        bias: None,
        relu: false,
        mask: fused.then(|| rig.f32(&[rows, inputs], &mask)),
        bias_gradient: None,
        accumulate: false,
    };
    let mut session = rig.run(Op::Matmul(op));
    let (a, b) = (wide(&a[..live * outputs]), wide(b));
    let mut theirs = linear::matmul_nn(live, inputs, outputs, &a, &b);
    let mut sizes = linear::matmul_nn(live, inputs, outputs, &absolute(&a), &absolute(&b));
    if fused {
        let mask = wide(&mask[..live * inputs]);
        theirs = linear::relu_backward(&mask, &theirs);
        sizes = linear::relu_backward(&mask, &sizes);
    }
    held(case, &floats(&mut session, output), &theirs, &sizes, outputs);
}

/// output (+)= aᵀ · b and bias gradient (+)= the sum of a's rows, in one flat tensor.
fn by_weights(case: Case, a: &[f32], b: &[f32]) {
    let Case { rows, live, inputs, outputs, fused, .. } = case;
    let start = Tensor::ALIGNMENT;
    let behind = (start + 4 * outputs * inputs).next_multiple_of(Tensor::ALIGNMENT);
    let before = numbers(3, behind / 4 + outputs);
    let mut rig = Rig::default();
    let flat = rig.f32(&[before.len()], &before);
    let op = Matmul {
        state: rig.live(live),
        form: Form::Tn,
        a: rig.f32(&[rows, outputs], a),
        b: rig.f32(&[rows, inputs], b),
        output: rig.view(&[outputs, inputs], flat, start),
        bias: None,
        relu: false,
        mask: None,
        bias_gradient: fused.then(|| rig.view(&[outputs], flat, behind)),
        accumulate: fused,
    };
    let (output, bias_gradient) = (op.output, op.bias_gradient);
    let mut session = rig.run(Op::Matmul(op));
    let (a, b) = (wide(&a[..live * outputs]), wide(&b[..live * inputs]));
    let accumulated = |sums: Vec<f64>, at: usize| -> Vec<f64> {
        let held = wide(&before[at / 4..]);
        sums.iter().zip(held).map(|(sum, held)| if fused { sum + held } else { *sum }).collect()
    };
    let theirs = accumulated(linear::matmul_tn(outputs, inputs, live, &a, &b), start);
    let sizes: Vec<f64> = linear::matmul_tn(outputs, inputs, live, &absolute(&a), &absolute(&b));
    let sizes: Vec<f64> = sizes.iter().map(|size| size + if fused { 1.0 } else { 0.0 }).collect();
    let close = |i: usize| bound::product(live + 1) * sizes[i];
    bound::hold(&format!("{case:?} output"), &floats(&mut session, output), &theirs, close);
    let all = floats(&mut session, flat);
    let gap = start / 4 + outputs * inputs..behind / 4;
    assert_eq!(all[..start / 4], before[..start / 4], "{case:?}: before the output");
    assert_eq!(all[gap.clone()], before[gap], "{case:?}: behind the output");
    if let Some(id) = bias_gradient {
        let theirs = accumulated(linear::bias_gradient(outputs, &a), behind);
        let sizes = linear::bias_gradient(outputs, &absolute(&a));
        let close = |i: usize| bound::product(live + 1) * (sizes[i] + 1.0);
        bound::hold(&format!("{case:?} bias gradient"), &floats(&mut session, id), &theirs, close);
    }
}

/// Rows of the batch: the live ones within the bound of a sum of `terms` products (and a bias), the others dead.
fn held(case: Case, ours: &[f32], theirs: &[f64], sizes: &[f64], terms: usize) {
    let close = |i: usize| bound::product(terms + 1) * sizes[i];
    bound::hold(&format!("{case:?}"), &ours[..theirs.len()], theirs, close);
    assert_dead(&format!("{case:?}"), &ours[theirs.len()..]);
}

/// What is no number passes the ReLU and its mask: a run that diverges must show it.
#[test]
fn not_a_number() {
    let mut rig = Rig::default();
    let op = Matmul {
        state: rig.live(2),
        form: Form::Nt,
        a: rig.f32(&[2, 3], &[DEAD; 6]),
        b: rig.f32(&[4, 3], &numbers(0, 12)),
        output: rig.f32(&[2, 4], &[0.0; 8]),
        bias: Some(rig.f32(&[4], &numbers(1, 4))),
        relu: true,
        mask: None,
        bias_gradient: None,
        accumulate: false,
    };
    let output = op.output;
    assert!(floats(&mut rig.run(Op::Matmul(op)), output).iter().all(|value| value.is_nan()));
}

const FORMS: [Form; 3] = [Form::Nt, Form::Nn, Form::Tn];

#[test]
fn fixed_shapes() {
    let sizes =
        [[1, 1, 1, 1], [1, 1, 784, 10], [9, 7, 3, 5], [64, 64, 49, 47], [65, 40, 97, 17], [8, 8, 1, 48], [7, 0, 5, 3]];
    for form in FORMS {
        for [rows, live, inputs, outputs] in sizes {
            for fused in [false, true] {
                check(Case { form, rows, live, inputs, outputs, fused });
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_shape(form in 0_usize..3, live in 0_usize..40, dead in 0_usize..9, inputs in 1_usize..110, outputs in 1_usize..60, fused: bool) {
        check(Case { form: FORMS[form], rows: (live + dead).max(1), live, inputs, outputs, fused });
    }
}
