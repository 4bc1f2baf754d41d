//! The counters of a step and the images of its batch; the twin of `shaders/begin_step.wgsl`.

use super::Memory;
use crate::program::{BeginStep, Order, ScheduleRow, State};
use crate::random::{Permutation, Purpose};

pub(super) fn run(op: &BeginStep, memory: &mut Memory) {
    let rows = memory.program().tensor(op.samples).rows() as u32;
    let before = memory.state(op.state);
    let step = if op.micro_batch == 0 { before.step } else { before.step - 1 };
    let steps_per_epoch = before.count.div_ceil(op.batch);
    let epoch = step / steps_per_epoch;
    let position = step % steps_per_epoch;
    let batch_offset = position * op.batch;
    let batch = op.batch.min(before.count - batch_offset);
    let micro_offset = op.micro_batch * rows;
    let row = op.schedule.map_or(ScheduleRow::default(), |schedule| {
        bytemuck::cast_slice::<_, ScheduleRow>(memory.f32(schedule))[position as usize]
    });
    let state = State {
        step: step + 1,
        epoch,
        offset: batch_offset + micro_offset,
        live: rows.min(batch.saturating_sub(micro_offset)),
        batch,
        slot: step % op.slots,
        learning_rate: row.learning_rate,
        first_correction: row.first_correction,
        second_correction: row.second_correction,
        ..before
    };
    memory.bytes_mut(op.state).copy_from_slice(bytemuck::bytes_of(&state));
    let order = Permutation::new(state.seed, Purpose::Order, epoch, state.count);
    memory.with_outputs([Some(op.samples)], |memory, [samples]| {
        let labels = memory.bytes(op.labels);
        let samples: &mut [[u32; 2]] = bytemuck::cast_slice_mut(samples);
        for (sample, position) in samples[..state.live as usize].iter_mut().zip(state.offset..) {
            let within = match op.order {
                Order::Sequential => position,
                Order::Shuffled => order.at(position),
            };
            let image = state.first + within;
            *sample = [image, labels[image as usize].into()];
        }
    });
}
