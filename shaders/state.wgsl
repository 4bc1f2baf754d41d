// The counters of a run or an evaluation, as the host lays them out (`State` in src/program/state.rs, which says what each
// means). begin_step alone writes them; for the others, state.uniform.wgsl or state.storage.wgsl declares them.
struct State {
    seed: u32,
    step: u32,
    first: u32,
    count: u32,
    epoch: u32,
    offset: u32,
    live: u32,
    batch: u32,
    slot: u32,
    learning_rate: f32,
    first_correction: f32,
    second_correction: f32,
}
