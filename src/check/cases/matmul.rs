//! Cases of [`matmul`](Matmul): the three forms, what is fused into each, and sizes that no tile divides.
//!
//! An output is a sum of k products, so its bound is c · √k · ε · Σ|aᵢbᵢ|, the sum computed by the reference from absolute
//! values. A bias or what is accumulated is one term more. ReLU and mask only pass a result or replace it by zero.

use super::{Case, Draft, Tolerance, Written, magnitudes, shapes};
use crate::program::{Element, Form, Matmul, Op, State, Tensor};

/// What follows the product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// Nothing.
    Plain,
    /// A bias.
    Bias,
    /// A bias and a ReLU.
    BiasRelu,
    /// The mask of a ReLU.
    Mask,
    /// In [`Form::Tn`], the bias gradient.
    BiasGradient,
}

/// A product: m × k by k × n, the first `live` rows of the batch (m, or k in [`Form::Tn`]).
#[derive(Clone, Copy, Debug)]
pub struct Product {
    /// Which operands are transposed.
    pub form: Form,
    /// m, n and k.
    pub size: [usize; 3],
    /// Rows of the batch that count.
    pub live: usize,
    /// What follows.
    pub finish: Finish,
    /// Whether it adds to the output.
    pub accumulate: bool,
}

/// A product of random matrices.
pub fn case(product: Product, seed: u32) -> Case {
    let Product { form, size: [m, n, k], live, finish, accumulate } = product;
    let mut draft = Draft::new(seed);
    let state = draft.state(State { live: live as u32, batch: live as u32, ..State::default() });
    let a = draft.random("a", &if form == Form::Tn { [k, m] } else { [m, k] });
    let b = draft.random("b", &if form == Form::Nt { [n, k] } else { [k, n] });
    let bias = matches!(finish, Finish::Bias | Finish::BiasRelu).then(|| draft.random("bias", &[n]));
    let mask = (finish == Finish::Mask).then(|| {
        let values: Vec<f32> = draft.numbers(m * n).into_iter().map(|value| value.max(0.0)).collect();
        draft.tensor("mask", &[m, n], Element::F32, &values)
    });
    let (output, bias_gradient) = if finish == Finish::BiasGradient {
        // As in a flat tensor of gradients: something before, between and behind them, which must stay as it is.
        let start = Tensor::ALIGNMENT;
        let behind = (start + 4 * m * n).next_multiple_of(Tensor::ALIGNMENT);
        let flat = draft.random("gradients", &[(behind + 4 * m).next_multiple_of(Tensor::ALIGNMENT) / 4]);
        let output = draft.view("output", &[m, n], flat, start);
        (output, Some(draft.view("bias_gradient", &[m], flat, behind)))
    } else {
        (draft.random("output", &[m, n]), None)
    };
    let op =
        Matmul { state, form, a, b, output, bias, relu: finish == Finish::BiasRelu, mask, bias_gradient, accumulate };
    let (rows, terms) = if form == Form::Tn { (m, live) } else { (live, k) };
    let tolerance = Tolerance::sum(terms + 1);
    let mut written = vec![Written::first(output, rows * n, tolerance.clone())];
    written.extend(bias_gradient.map(|id| Written::first(id, m, tolerance)));
    let mut case = draft.case(format!("{product:?}, seed {seed}"), Op::Matmul(op.clone()), written);
    let absolute = Matmul { relu: false, mask: None, ..op };
    case.magnitudes = Some(Box::new(magnitudes(&case, Op::Matmul(absolute))));
    case
}

/// The cases.
pub fn cases(seed: u32) -> Vec<Case> {
    // m, n, k: around the tiles of every variant, a layer of 81 pixels, one of 784, many and few classes.
    let sizes =
        [[1, 1, 1], [2, 3, 5], [64, 64, 64], [65, 63, 7], [9, 130, 81], [37, 10, 784], [5, 256, 33], [128, 2, 1]];
    let sizes: Vec<[usize; 3]> = sizes.into_iter().chain(shapes(seed, 2, [90, 90, 300])).collect();
    let mut products = Vec::new();
    let mut add = |form, size: [usize; 3], live, finish, accumulate| {
        products.push(Product { form, size, live, finish, accumulate });
    };
    for (&size, index) in sizes.iter().zip(0..) {
        let [m, _, k] = size;
        for (form, finish) in [(Form::Nt, Finish::BiasRelu), (Form::Nn, Finish::Mask)] {
            add(form, size, m, finish, false);
        }
        let accumulate = index % 2 == 0;
        add(Form::Tn, size, if accumulate { k.div_ceil(2) } else { k }, Finish::BiasGradient, accumulate);
    }
    let size @ [m, _, k] = [21, 19, 23];
    for live in [0, 1, 20] {
        add(Form::Nt, size, live.min(m), Finish::Bias, false);
        add(Form::Nt, size, live.min(m), Finish::Plain, false);
        add(Form::Nn, size, live.min(m), Finish::Plain, false);
        add(Form::Nn, size, live.min(m), Finish::Mask, false);
        for accumulate in [false, true] {
            add(Form::Tn, size, live.min(k), Finish::Plain, accumulate);
            add(Form::Tn, size, live.min(k), Finish::BiasGradient, accumulate);
        }
    }
    products.into_iter().map(|product| case(product, seed)).collect()
}
