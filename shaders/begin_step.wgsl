// Begins a step: advances the counters, looks up the schedule, lists the images of the batch with their labels.
//
//   steps of an epoch = ⌈count / batch⌉
//   position, epoch   = step mod that, step div that
//   samples[row]      = (image at position `offset + row` of the epoch's order, its label)
//
// One workgroup. Every invocation derives the new counters from the old ones; the first writes them once all have read;
// then they share the rows.

struct Params {
    batch: u32,       // images in a full step
    rows: u32,        // images in a full micro-batch
    micro_batch: u32, // counted from 0; the first advances the step
    slots: u32,       // rows of the metrics
    shuffled: bool,
    scheduled: bool,
}

@group(0) @binding(0) var<storage, read_write> state: State;
@group(0) @binding(1) var<storage, read> schedule: array<vec4<f32>>; // [steps of an epoch]: learning rate and corrections
@group(0) @binding(2) var<storage, read> labels: array<u32>;         // [images], four to a word
@group(0) @binding(3) var<storage, read_write> samples: array<vec2<u32>>; // [rows]: image, label

const LANES = 64u;

@compute @workgroup_size(LANES)
fn begin_step(@builtin(local_invocation_index) lane: u32) {
    let seed = state.seed;
    let first = state.first;
    let count = state.count;
    let step = select(state.step - 1u, state.step, params.micro_batch == 0u);
    storageBarrier();

    let steps_per_epoch = (count + params.batch - 1u) / params.batch;
    let epoch = step / steps_per_epoch;
    let position = step % steps_per_epoch;
    let batch_offset = position * params.batch;
    let batch = min(params.batch, count - batch_offset);
    let micro_offset = params.micro_batch * params.rows;
    let offset = batch_offset + micro_offset;
    let live = min(params.rows, batch - min(batch, micro_offset));
    if lane == 0u {
        state.step = step + 1u;
        state.epoch = epoch;
        state.offset = offset;
        state.live = live;
        state.batch = batch;
        state.slot = step % params.slots;
        var row = vec4<f32>();
        if params.scheduled {
            row = schedule[position];
        }
        state.learning_rate = row.x;
        state.first_correction = row.y;
        state.second_correction = row.z;
    }

    let bits = 32u - countLeadingZeros(count - 1u);
    let half_bits = max((bits + 1u) / 2u, 1u);
    for (var row = lane; row < live; row += LANES) {
        var image = offset + row;
        if params.shuffled {
            image = permute(vec2<u32>(seed, PURPOSE_ORDER), epoch, count, half_bits, image);
        }
        image += first;
        let label = (labels[image / 4u] >> (8u * (image % 4u))) & 0xFFu;
        samples[row] = vec2<u32>(image, label);
    }
}
