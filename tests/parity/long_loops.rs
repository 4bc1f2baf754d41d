//! Loops that are longer than llvmpipe runs them: it refuses the program, other adapters run it as the CPU does.

use libtest_mimic::Failed;
use mnist_gpu::check::Case;
use mnist_gpu::check::cases::conv2d_backward_weights;
use mnist_gpu::check::cases::convolution::{Layer, Numbers};
use mnist_gpu::check::cases::matmul::{self, Finish, Product};
use mnist_gpu::check::check_op;
use mnist_gpu::cpu::Cpu;
use mnist_gpu::device::Device;
use mnist_gpu::gpu::{Adapter, Gpu};
use mnist_gpu::program::{Convolution, Form};

/// Sixteen images with 4,160 windows each in one block: 68,706 iterations.
const LAYER: Layer = Layer {
    rows: 16,
    live: 16,
    input: [1, 67, 66],
    outputs: 1,
    geometry: Convolution { kernel: [3, 3], stride: [1, 1], padding: [0, 0], pool: [1, 1], pool_stride: [1, 1] },
};

/// A linear layer over a picture of 256 × 256 pixels.
const PRODUCT: Product =
    Product { form: Form::Nt, size: [2, 3, 65_536], live: 2, finish: Finish::Plain, accumulate: false };

/// As many inputs as llvmpipe takes, for all rows that an invocation computes.
const LONGEST: Product = Product { size: [16, 3, 65_516], live: 16, ..PRODUCT };

/// Holds an adapter to what it must refuse, or else compute.
pub(crate) fn on_adapter(adapter: &Adapter) -> Result<(), Failed> {
    let (device, reference) = (Gpu::open(adapter, false)?, Cpu::new(None)?);
    let cases: [(&str, Case, bool); 3] = [
        ("conv2d_backward_weights", conv2d_backward_weights::case(LAYER, 16, Numbers::Integers, 1), true),
        ("matmul", matmul::case(PRODUCT, 1), true),
        ("matmul", matmul::case(LONGEST, 1), false),
    ];
    for (op, case, too_long) in cases {
        let outcome = check_op(&device, &reference, op, &[case]);
        let refused = matches!(&outcome, Err(error) if error.to_string().contains(&format!("{op} of output loops 6")));
        if (device.info().name.contains("llvmpipe") && too_long) != refused {
            return Err(format!("{}, {op}: {outcome:?}", device.info()).into());
        }
        if let Ok(verdict) = outcome
            && !verdict.ok
        {
            return Err(format!("{}: {verdict}", device.info()).into());
        }
    }
    Ok(())
}
