//! Matrix products of linear layers.

use super::{
    Binding::{Read, ReadWrite, State},
    Class, Context, Kernel, PRODUCT, STATE,
    Value::{Bool, U32},
};
use crate::program::{Form, Matmul};

const FORM: Kernel = Kernel {
    name: "matmul",
    op: "matmul",
    source: include_str!("../../../shaders/matmul.wgsl"),
    shared: &[PRODUCT, STATE],
    bindings: &[State, Read, Read, Read, ReadWrite],
    params: &[
        ("m", U32(1)),
        ("n", U32(1)),
        ("k", U32(1)),
        ("a_m", U32(1)),
        ("a_k", U32(1)),
        ("b_k", U32(1)),
        ("b_n", U32(1)),
        ("batch_is_k", Bool(false)),
        ("bias", Bool(true)),
        ("relu", Bool(true)),
        ("mask", Bool(true)),
        ("accumulate", Bool(true)),
        ("bias_gradient", U32(1)),
    ],
    workgroup: [16, 4, 1],
};

pub(super) static SIMPLE: Kernel = FORM;

/// Rows and columns of a tile: of an invocation, and of a subgroup.
const TILE: [u32; 2] = [8, 16];
const SUBGROUP_TILE: [u32; 2] = [16, 32];

pub(super) static REGISTER: Kernel = Kernel {
    name: "matmul.register",
    source: include_str!("../../../shaders/matmul.register.wgsl"),
    workgroup: [8, 1, 1],
    ..FORM
};

pub(super) static SUBGROUP: Kernel = Kernel {
    name: "matmul.subgroup",
    source: include_str!("../../../shaders/matmul.subgroup.wgsl"),
    workgroup: [8, 1, 1],
    ..FORM
};

pub(super) fn lower(op: &Matmul, context: &mut Context) {
    let [m, n] = [context.rows(op.output), context.row_len(op.output)];
    let width_of_a = context.row_len(op.a);
    let k = if op.form == Form::Tn { context.rows(op.a) } else { width_of_a };
    let [a_m, a_k] = if op.form == Form::Tn { [1, m] } else { [k, 1] };
    let [b_k, b_n] = if op.form == Form::Nt { [1, k] } else { [n, 1] };
    let output = op.bias_gradient.map_or(context.operand(op.output), |last| context.span(op.output, last));
    let bias_gradient =
        op.bias_gradient.map_or(0, |id| (context.operand(id).offset - context.operand(op.output).offset) / 4);
    let batch_is_k = op.form == Form::Tn;
    let params = [
        // What the live rows count is left out: then one shader serves batches of all sizes.
        U32(if batch_is_k { m } else { 0 }),
        U32(n),
        U32(if batch_is_k { 0 } else { k }),
        U32(a_m),
        U32(a_k),
        U32(b_k),
        U32(b_n),
        Bool(batch_is_k),
        Bool(op.bias.is_some()),
        Bool(op.relu),
        Bool(op.mask.is_some()),
        Bool(op.accumulate),
        U32(bias_gradient as u32),
    ];
    let extra = context.optional(op.bias.or(op.mask));
    let [state, a, b] = [op.state, op.a, op.b].map(|id| context.operand(id));
    let (kernel, groups) = match context.class {
        Class::Subgroups => (&SUBGROUP, [n.div_ceil(SUBGROUP_TILE[1]), m.div_ceil(SUBGROUP_TILE[0]), 1]),
        Class::Software => {
            let tiles = m.div_ceil(TILE[0]) * n.div_ceil(TILE[1]);
            (&REGISTER, [tiles.div_ceil(REGISTER.workgroup[0]), 1, 1])
        }
        Class::Hardware => {
            let [width, height, _] = SIMPLE.workgroup;
            (&SIMPLE, [n.div_ceil(width), m.div_ceil(height), 1])
        }
    };
    context.push(kernel, params, [state, a, b, extra, output], groups);
}

#[cfg(test)]
mod tests {
    use super::super::{Dispatch, MOST_GROUPS, Profile, lower};
    use super::*;
    use crate::model::{Layer, MOST_INPUTS, MOST_OUTPUTS, ModelSpec, Shape};
    use crate::optimizer::Optimizer;
    use crate::program::{Build, build};

    /// The largest that are valid, in every direction of a matrix product.
    #[test]
    fn no_grid_is_larger_than_a_device_takes() {
        assert_eq!([MOST_INPUTS, MOST_OUTPUTS, MOST_GROUPS], SIMPLE.workgroup.map(|size| MOST_GROUPS * size));
        let picture = Shape::picture(64, 64);
        for (widths, batch, image) in [
            (&[MOST_OUTPUTS][..], 1, Shape::picture(8, 8)),
            (&[2_048], 16_384, Shape::picture(8, 8)),
            (&[4_096], 30_000, picture),
            (&[8_000], 1, picture),
        ] {
            let layers = widths.iter().map(|&outputs| Layer::Linear { outputs });
            let layers = layers.chain([Layer::Linear { outputs: 10 }]).collect();
            let program = build(&Build {
                model: &ModelSpec { name: "wide".into(), layers },
                image,
                classes: 10,
                images: batch,
                batch,
                train_images: batch,
                eval_batch: 250,
                optimizer: Optimizer::adam(0.0, true),
                mean: 0.5,
                std: 1.0,
            });
            let program = program.unwrap_or_else(|error| panic!("{widths:?}: {error}"));
            for class in Class::ALL {
                for dispatch in lower(&program, &Profile::of(class)).iter().flatten() {
                    let Dispatch { kernel, groups, .. } = dispatch;
                    assert!(groups.iter().all(|&count| count <= MOST_GROUPS), "{}: {groups:?}", kernel.name);
                }
            }
        }
    }
}
