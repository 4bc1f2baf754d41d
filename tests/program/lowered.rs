//! What the kernels of a program bind.

use crate::settings;
use mnist_gpu::gpu::kernels::{Binding, Class, Profile, lower};
use mnist_gpu::model::{PRESETS, Shape, preset};
use mnist_gpu::program::{Build, build};

/// Devices refuse a dispatch that binds a buffer for writing and in another way, too.
#[test]
fn what_a_kernel_writes_it_binds_in_no_other_way() {
    for name in PRESETS {
        let model = preset(name, 3).expect("a preset");
        let program = build(&Build { image: Shape::picture(28, 28), ..settings(&model) }).expect("a program");
        for class in Class::ALL {
            for dispatch in lower(&program, &Profile::of(class)).into_iter().flatten() {
                let bound = || dispatch.kernel.bindings.iter().zip(&dispatch.operands);
                let written = bound().filter(|(binding, _)| **binding == Binding::ReadWrite);
                for ((_, written), (binding, operand)) in written.flat_map(|written| bound().map(move |b| (written, b)))
                {
                    let apart = operand.tensor != written.tensor || *binding == Binding::ReadWrite;
                    assert!(apart, "{name}, {class:?}, {}: {written:?} and {operand:?}", dispatch.kernel.name);
                }
            }
        }
    }
}
