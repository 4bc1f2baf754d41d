// Runs recorded programs: buffers, pipelines and lists of dispatches, as data. It knows no op and no model.
//
// A program is
//   buffers    [{ name, bytes, uniform }]            memory; the first stands in for operands that are not there
//   tensors    [{ name, shape, element, role, buffer, offset, bytes }]
//   pipelines  [{ name, entry, params: [value], files: [file], bindings: [kind] }]
//   lists      { list: [{ pipeline, operands: [[buffer, offset, bytes]], groups: [x, y, z] }] }
// The params of a pipeline are a constant that stands behind its files; the bindings of a dispatch are its operands.

/** Dispatches of one submission; more are split. */
const SUBMISSION = 4096;

const BINDING = {
  state: 'uniform',
  read: 'read-only-storage',
  read_write: 'storage',
  uniform: 'uniform',
};

/** A program on a device. */
export class Session {
  /** `readText(file)` gives the text of a shader's file. */
  static async open(gpu, program, readText) {
    const session = new Session(gpu, program, readText);
    try {
      await session.#checked('out-of-memory', () => session.#allocate());
    } catch (error) {
      session.close();
      throw error;
    }
    return session;
  }

  #gpu;
  #readText;
  #buffers = [];
  #ready = {};

  constructor(gpu, program, readText) {
    this.#gpu = gpu;
    this.program = program;
    this.#readText = readText;
  }

  /** The tensor with this name. */
  tensor(name) {
    const found = this.program.tensors.find((tensor) => tensor.name === name);
    if (!found) throw new Error(`the program has no tensor ${name}`);
    return found;
  }

  /** Writes an array into a tensor, from a byte offset that is a multiple of 4. */
  write(tensor, array, offset = 0) {
    const { queue } = this.#gpu.device;
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    const whole = bytes.length & ~3;
    const [buffer, start] = [this.#buffers[tensor.buffer], tensor.offset + offset];
    queue.writeBuffer(buffer, start, bytes, 0, whole);
    if (whole < bytes.length) {
      const word = new Uint8Array(4);
      word.set(bytes.subarray(whole));
      queue.writeBuffer(buffer, start + whole, word);
    }
  }

  /** Waits for what was run, and reads tensors: an ArrayBuffer of each. */
  async read(...tensors) {
    return this.#readBack(tensors.map(({ bytes }) => bytes), (encoder, staging) => {
      let at = 0;
      for (const { buffer, offset, bytes } of tensors) {
        encoder.copyBufferToBuffer(this.#buffers[buffer], offset, staging, at, bytes);
        at += bytes;
      }
    });
  }

  /** Runs a list so many times in a row. Returns before it is done. */
  async run(list, times = 1) {
    const ready = await this.#prepare(list);
    const atOnce = Math.max(1, Math.floor(SUBMISSION / ready.length));
    for (let left = times; left > 0; left -= atOnce) {
      const encoder = this.#gpu.device.createCommandEncoder();
      this.#encode(encoder, ready, Math.min(left, atOnce));
      this.#gpu.device.queue.submit([encoder.finish()]);
    }
  }

  /** Runs a list so many times, and reads a tensor after each: an ArrayBuffer of each time. */
  async runAndRead(list, times, { buffer, offset, bytes }) {
    const ready = await this.#prepare(list);
    return this.#readBack(Array(times).fill(bytes), (encoder, staging) => {
      for (let time = 0; time < times; time++) {
        this.#encode(encoder, ready, 1);
        encoder.copyBufferToBuffer(this.#buffers[buffer], offset, staging, time * bytes, bytes);
      }
    });
  }

  /** Frees the memory. */
  close() {
    this.#buffers.forEach((buffer) => buffer.destroy());
  }

  #allocate() {
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    this.#buffers = this.program.buffers.map(({ name, bytes, uniform }) => this.#gpu.device.createBuffer({
      label: name,
      size: bytes,
      usage: usage | (uniform ? GPUBufferUsage.UNIFORM : 0),
    }));
  }

  #encode(encoder, ready, times) {
    const pass = encoder.beginComputePass();
    for (let time = 0; time < times; time++) {
      for (const { pipeline, bindGroup, groups } of ready) {
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, bindGroup);
        pass.dispatchWorkgroups(...groups);
      }
    }
    pass.end();
  }

  async #readBack(sizes, encode) {
    const { device } = this.#gpu;
    const size = sizes.reduce((sum, bytes) => sum + bytes, 0);
    const staging = device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    const encoder = device.createCommandEncoder();
    encode(encoder, staging);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    const range = staging.getMappedRange();
    let at = 0;
    const arrays = sizes.map((bytes) => range.slice(at, at += bytes));
    staging.destroy();
    return arrays;
  }

  /** Pipelines and bind groups of a list, made when it is first run. */
  #prepare(list) {
    this.#ready[list] ??= this.#makeReady(this.program.lists[list]);
    return this.#ready[list];
  }

  async #makeReady(dispatches) {
    const used = [...new Set(dispatches.map(({ pipeline }) => pipeline))];
    const made = await Promise.all(used.map((index) => this.#pipeline(this.program.pipelines[index])));
    const pipelines = new Map(used.map((index, place) => [index, made[place]]));
    return this.#checked('validation', () => {
      return dispatches.map((dispatch) => this.#bind(dispatch, pipelines.get(dispatch.pipeline)));
    });
  }

  #bind({ operands, groups }, { layout, pipeline }) {
    const resources = operands.map(([index, offset, size]) => ({ buffer: this.#buffers[index], offset, size }));
    const entries = resources.map((resource, binding) => ({ binding, resource }));
    return { pipeline, bindGroup: this.#gpu.device.createBindGroup({ layout, entries }), groups };
  }

  /** A compiled pipeline; sessions of a device share those of the same text. */
  async #pipeline({ name, entry, params, files, bindings }) {
    const { device, pipelines } = this.#gpu;
    const texts = await Promise.all(files.map((file) => this.#readText(file)));
    const code = `${texts.join('\n')}\nconst params = Params(${params.join(', ')});\n`;
    if (!pipelines.has(code)) {
      const layout = device.createBindGroupLayout({
        label: name,
        entries: bindings.map((kind, binding) => (
          { binding, visibility: GPUShaderStage.COMPUTE, buffer: { type: BINDING[kind] } }
        )),
      });
      const compiled = device.createComputePipelineAsync({
        label: name,
        layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
        compute: { module: device.createShaderModule({ label: name, code }), entryPoint: entry },
      });
      pipelines.set(code, compiled.then((pipeline) => ({ layout, pipeline })));
    }
    return pipelines.get(code);
  }

  /** What `make` gives, or the error of this kind that WebGPU has with it. */
  async #checked(kind, make) {
    const { device } = this.#gpu;
    device.pushErrorScope(kind);
    const made = make();
    const error = await device.popErrorScope();
    if (error) throw new Error(error.message || 'the GPU has too little memory');
    return made;
  }
}
