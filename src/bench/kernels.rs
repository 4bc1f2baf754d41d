//! Each op of the models' training steps by itself, in every variant of its kernel.

use super::figures::KernelRow;
use super::measure::Effort;
use super::target::Target;
use super::workload::{Workload, ready};
use crate::Result;
use crate::data::Dataset;
use crate::device::Device;
use crate::gpu::kernels::{Class, Tuning};
use crate::program::{List, Op, Program, Work};
use std::sync::Arc;

/// Images in memory: enough for any batch here.
const IMAGES: usize = 4_096;

/// A program that does a whole training step once, as its `init`, so that every tensor holds what it should, and whose
/// training step is one of the ops.
pub fn alone(program: &Program, op: &Op) -> Program {
    let init = [&program.init[..], &program.train_step].concat();
    Program { init, train_step: vec![op.clone()], eval_step: Vec::new(), ..program.clone() }
}

/// Times every op of the workloads that is not among the rows yet, and adds it to them.
pub fn kernels(
    target: &Target,
    data: &Dataset,
    workload: &Workload,
    effort: Effort,
    rows: &mut Vec<KernelRow>,
    tell: &mut dyn FnMut(&KernelRow) -> Result<()>,
) -> Result<()> {
    let program = workload.program(data, data.train.len().min(IMAGES) as u32)?;
    for op in &program.train_step {
        let signature = program.signature(op);
        let mut known = false;
        for row in rows.iter_mut().filter(|row| row.op == signature) {
            known = true;
            if !row.models.iter().any(|model| model == workload.model) {
                row.models.push(workload.model.into());
            }
        }
        if known {
            continue;
        }
        let alone = Arc::new(alone(&program, op));
        let mut time = |device: &dyn Device, class: Option<Class>, chosen: bool| {
            let mut session = ready(device, &alone, data)?;
            let row = KernelRow {
                models: vec![workload.model.into()],
                op: signature.clone(),
                kernel: session.kernels().into_iter().map(|(_, kernel)| kernel).collect::<Vec<_>>().join(" + "),
                chosen,
                class,
                seconds: effort.seconds(|times| session.time(List::TrainStep, times))?,
                work: Work::of(&program, op),
            };
            tell(&row)?;
            rows.push(row);
            Ok(())
        };
        match target {
            Target::Cpu { cpu, .. } => time(cpu, None, true)?,
            Target::Gpu(_) => {
                for (index, variant) in target.variants(&alone).iter().enumerate() {
                    time(&variant.device, Some(variant.class), index == 0)?;
                }
            }
        }
    }
    Ok(())
}

/// An op gets another kernel where that takes a smaller share of the time than this.
const FASTER: f64 = 0.95;

/// Which ops should get other kernels than the adapter's class usually does: the fastest, where it clearly is that.
pub fn tuning(rows: &[KernelRow], usual: Class) -> Tuning {
    let mut tuning = Tuning::new();
    for chosen in rows.iter().filter(|row| row.chosen) {
        let others = rows.iter().filter(|row| row.op == chosen.op);
        let fastest = others.min_by(|a, b| a.seconds.median.total_cmp(&b.seconds.median)).unwrap_or(chosen);
        let clearly = fastest.seconds.median < FASTER * chosen.seconds.median;
        let class = if clearly { fastest.class } else { chosen.class };
        tuning.extend(class.filter(|class| *class != usual).map(|class| (chosen.op.clone(), class)));
    }
    tuning
}

#[cfg(test)]
mod tests {
    use super::super::example::example;
    use super::*;

    #[test]
    fn an_op_gets_another_kernel_where_that_is_clearly_faster() {
        let row = |op: &str, class: Class, chosen: bool, seconds: f64| {
            let mut row = example().devices[0].kernels[0].clone();
            (row.op, row.class, row.chosen, row.seconds.median) = (op.into(), Some(class), chosen, seconds);
            row
        };
        let rows = [
            row("faster", Class::Subgroups, true, 1.0),
            row("faster", Class::Hardware, false, 0.9),
            row("faster", Class::Software, false, 0.5),
            row("noise", Class::Subgroups, true, 1.0),
            row("noise", Class::Software, false, 0.96),
            row("tuned before, still as fast", Class::Software, true, 1.0),
            row("tuned before, still as fast", Class::Subgroups, false, 0.96),
            row("tuned before, no longer", Class::Software, true, 1.0),
            row("tuned before, no longer", Class::Subgroups, false, 0.5),
        ];
        let expected = [("faster", Class::Software), ("tuned before, still as fast", Class::Software)];
        assert_eq!(tuning(&rows, Class::Subgroups), expected.map(|(op, class)| (op.to_owned(), class)).into());
    }
}
