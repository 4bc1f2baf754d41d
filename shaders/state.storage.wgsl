// The state for a device that executes on a CPU. Of a uniform that a branch depends on, llvmpipe puts the values of each
// dispatch into a copy of the shader and simplifies that, which takes longer than a small dispatch itself.
@group(0) @binding(0) var<storage, read> state: State;
