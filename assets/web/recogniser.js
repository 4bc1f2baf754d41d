// A network ready to be asked about one image at a time.

import { Session } from './session.js';
import { readShader } from './files.js';
import { parameters } from './trainer.js';

export class Recogniser {
  /** `program` is the one for single images; `weights` are [{ name, values }]. */
  static async open(gpu, program, weights) {
    const byName = new Map(weights.map(({ name, values }) => [name, values]));
    const named = parameters(program).map((tensor) => [tensor, byName.get(tensor.name)]);
    for (const [{ name, bytes }, values] of named) {
      if (values?.byteLength !== bytes) throw new Error(`the weights have no ${name} of this model`);
    }
    const session = await Session.open(gpu, program, readShader);
    named.forEach(([tensor, values]) => session.write(tensor, values));
    return new Recogniser(session);
  }

  constructor(session) {
    const { tensors, ports } = session.program;
    this.session = session;
    // Every stage of the network but its input and its answer.
    const shown = tensors.filter(({ role, element, buffer }) => role === 'activation' && element === 'f32' && buffer);
    this.layers = shown.slice(1, -1).map((tensor) => ({ ...tensor, name: tensor.name.replace(/^eval\./, '') }));
    this.answer = tensors[ports.log_probabilities];
  }

  /** The probability of each class for an image of bytes, and what each layer made of it. */
  async ask(image) {
    const { session, layers, answer } = this;
    const { tensors, ports } = session.program;
    const state = tensors[ports.eval.state];
    session.write(tensors[ports.images], image);
    session.write(state, Uint32Array.of(0, 0, 0, 1));
    await session.run('eval_step');
    const [logs, ...activations] = (await session.read(answer, ...layers)).map((buffer) => new Float32Array(buffer));
    return { probabilities: logs.map(Math.exp), activations };
  }

  close() {
    this.session.close();
  }
}
